//! What records say of each other: ids, dates, revisits and their originals, the order in a file.

use std::collections::HashMap;

use super::finding::{
    Code, FILENAME, MANY, NO_ORIGINAL, OF_REVISIT, ORIGINAL, OTHER_DATE, PAYLOAD_LOST, SAME_ID, SEGMENT, WARCINFO,
};
use super::record::Facts;
use crate::store::Error;
use crate::web::digest::fingerprint;

/// So many records are compared with each other; at some fifty bytes each that is the memory it takes.
const MOST: usize = 8 << 20;

/// All records so far.
#[derive(Default)]
pub(super) struct Together {
    ids: HashMap<i64, Known>,
    /// Revisits and continuations whose first record has not been seen yet.
    waiting: Vec<Waiting>,
    records_in_file: u64,
    is_full: bool,
}

#[derive(Clone, Copy)]
struct Known {
    date: i64,
    is_revisit: bool,
}

/// A record that another one must come for.
pub(super) struct Waiting {
    file: usize,
    offset: u64,
    id: String,
    refers: i64,
}

/// A finding, and where: the file's number, the offset, the record.
pub(super) struct About {
    pub code: &'static Code,
    pub file: usize,
    pub offset: u64,
    pub record: String,
    pub text: String,
}

impl Together {
    /// A file begins.
    pub fn begin(&mut self) {
        self.records_in_file = 0;
    }

    /// A record, in order; `name` is the file's.
    pub fn hear(&mut self, file: usize, name: &str, facts: &Facts, say: &mut dyn FnMut(&'static Code, String)) {
        self.records_in_file += 1;
        if self.records_in_file == 1 && facts.kind != "warcinfo" {
            say(&WARCINFO, "the file does not begin with a warcinfo record (6.2)".to_owned());
        }
        let base = name.rsplit('/').next().unwrap_or(name);
        if facts.filename.as_ref().is_some_and(|filename| filename != base && format!("{filename}.open") != base) {
            let filename = facts.filename.as_deref().unwrap_or("");
            say(&FILENAME, format!("the warcinfo names the file «{filename}» (5.17)"));
        }
        if facts.id.is_empty() {
            return;
        }
        let date = fingerprint(&facts.date);
        let first = facts.concurrent.iter().find_map(|id| self.ids.get(&fingerprint(id)));
        if first.is_some_and(|first| first.date != date) {
            say(&OTHER_DATE, "its WARC-Date is not that of the record it is concurrent to (5.4)".to_owned());
        }
        if let Some(refers) = facts.refers.as_ref().filter(|_| facts.kind == "revisit") {
            let refers = fingerprint(refers);
            match self.ids.get(&refers) {
                Some(Known { is_revisit: true, .. }) => {
                    say(&OF_REVISIT, "it refers to a revisit, which holds no payload (6.7)".to_owned());
                }
                Some(_) => {}
                None if self.waiting.len() < MOST => {
                    self.waiting.push(Waiting { file, offset: facts.offset, id: facts.id.clone(), refers });
                }
                None => self.is_full = true,
            }
        }
        if facts.kind == "continuation" && self.records_in_file == 1 {
            say(&SEGMENT, "a continuation begins a file".to_owned());
        }
        if self.ids.len() >= MOST {
            self.is_full = true;
        } else if self.ids.insert(fingerprint(&facts.id), Known { date, is_revisit: facts.kind == "revisit" }).is_some()
        {
            say(&SAME_ID, "another record has the same WARC-Record-ID (5.2)".to_owned());
        }
    }

    /// All files have been read. `is_all`: there are no others, so what is not here is missing. `is_known` says whether
    /// the archive knows that the payload of the revisit with this id is lost: nobody can mend that, and it was told.
    pub fn finish(self, is_all: bool, is_known: &dyn Fn(&str) -> Result<bool, Error>) -> Result<Vec<About>, Error> {
        let mut about = Vec::new();
        for Waiting { file, offset, id, refers } in self.waiting {
            let (code, text) = match self.ids.get(&refers) {
                Some(Known { is_revisit: false, .. }) => continue,
                Some(_) => (&OF_REVISIT, "it refers to a revisit, which holds no payload (6.7)"),
                None if is_all && is_known(&id)? => {
                    (&PAYLOAD_LOST, "the record that held the payload is lost, as the database knows")
                }
                None if is_all && !self.is_full => (&NO_ORIGINAL, "the record it refers to is in none of the files"),
                None => (&ORIGINAL, "the record it refers to is in none of these files"),
            };
            about.push(About { code, file, offset, record: id, text: text.to_owned() });
        }
        if self.is_full {
            let text = format!("the ids of the records after the first {MOST} were not compared");
            about.push(About { code: &MANY, file: 0, offset: 0, record: String::new(), text });
        }
        Ok(about)
    }
}
