//! Captures read anew, without a crawl: by the same second half of a URL's journey that reads an answer that has just
//! come. For those who rebuild the database, take in other tools' archives, or mend.

use std::path::PathBuf;

use super::plan::{Brings, Revisit};
use super::robots;
use super::scope::Scope;
use super::step::{Step, priority};
use crate::archive::{self, Found, Record};
use crate::politeness::RobotsCopy;
use crate::store::Settled;
use crate::web::candidate::{Candidate, GUESS, Role};
use crate::web::digest::Algorithm;
use crate::web::url::{Origin, WebUrl};

/// Reads captures anew. It waits for nothing, and any number of threads may use it.
pub struct Reread(Step);

/// What one capture says.
#[derive(Debug)]
pub struct Said {
    /// The URL as the crawl knew it when it was fetched; none for what is never in the queue.
    pub asked: Option<Candidate>,
    /// What was read in it. It offers nothing but what its page needs: which links belong to a crawl, only that
    /// crawl's own scope can say.
    pub settled: Settled,
    /// The rules it sets, when it is a robots.txt.
    pub robots: Option<(Origin, RobotsCopy)>,
}

impl Default for Reread {
    fn default() -> Reread {
        let records = archive::Options {
            digest: Algorithm::default(),
            compress: archive::Compress::default(),
            framing: archive::Stored::default(),
            dns_records: false,
            codebook: archive::Codebook::default(),
            spool_dir: std::env::temp_dir(),
        };
        let brings = Brings { images: true, requisites: true };
        Reread(Step {
            scope: Scope::default(),
            brings,
            revisit: Revisit::Never,
            records,
            warcs: PathBuf::new(),
            run: String::new(),
            tells: false,
            referer_table: false,
        })
    }
}

impl Reread {
    /// What this capture says; none when its URL is no URL. `original` is the record that holds a revisit's payload,
    /// `seed_id` the row of the seed that its notes name.
    pub fn read(&self, found: &Found, original: Option<&Record>, seed_id: i64) -> Option<Said> {
        let mut settled = self.0.found(found, original, seed_id, None)?;
        settled.offers.retain(|offer| offer.page.is_some());
        settled.kept_out.clear();
        Some(Said { asked: asked(found, seed_id), settled, robots: robots::found(found, original) })
    }
}

fn asked(found: &Found, seed: i64) -> Option<Candidate> {
    let notes = &found.notes;
    if matches!(notes.role, Role::Robots | Role::Document) {
        return None;
    }
    let url = WebUrl::parse(&found.capture.url).ok()?;
    Some(Candidate {
        priority: if notes.guess { GUESS } else { priority(notes.role, notes.depth) },
        url,
        via: notes.via.clone(),
        seed,
        depth: notes.depth,
        hops: notes.hops,
        role: notes.role,
        page: notes.page.clone(),
        referer: notes.referer.clone().filter(|_| notes.rung == 0),
        referrer: None,
        rung: notes.rung,
        claims: notes.claims.clone().map(Box::new),
        // In another way, it is the same turn that goes on.
        again: notes.rung == 0,
    })
}
