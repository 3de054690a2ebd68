//! After a crash: takes whole groups out of files that were being written, and cuts the rest.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::framing::entity;
use super::read::{Record, Records};
use super::writer::{FileName, OPEN, seal};
use super::{Capture, Error, Kind, Notes, Original, Place};
use crate::web::digest::Digest;
use crate::web::exchange::Validators;
use crate::web::message::Head;
use crate::web::time::Timestamp;

/// How much is written again at a time.
const PIECE: usize = 64 << 10;

/// A group that the database does not know.
#[derive(Debug)]
pub struct Found {
    /// What it is.
    pub capture: Capture,
    /// What its metadata record says.
    pub notes: Notes,
    /// Its first record, to be read like an answer that has just come.
    pub first: Record,
}

/// What was done about one file.
#[derive(Debug)]
pub struct Recovered {
    /// The file's name, without `.open`.
    pub file: String,
    /// Groups beyond what the database knew, oldest first.
    pub found: Vec<Found>,
    /// Bytes cut off.
    pub cut: u64,
    /// Its length now; none when nothing was left and it was removed.
    pub len: Option<u64>,
    /// It was shorter than the database knew: captures have gone.
    pub lost: bool,
}

/// Goes through the `.open` files of the folder. `committed` says how much of a file the database knows.
///
/// Every file ends up with whole groups only; one with no group at all is removed. The `.open` stays until
/// [`seal_recovered`]: the captures found have no rows yet, and a second crash must find them again.
///
/// # Errors
/// When a file cannot be read, cut or renamed. Damage inside a file is no error: it is cut.
pub fn recover(folder: &Path, committed: &dyn Fn(&str) -> u64) -> Result<Vec<Recovered>, Error> {
    let mut all = Vec::new();
    for path in open_files(folder)? {
        let closed = path.with_extension("");
        let name = closed.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        all.push(recover_file(&path, name, committed)?);
    }
    Ok(all)
}

/// Drops the `.open` of a recovered file, once what was found in it has its rows.
///
/// # Errors
/// When the file cannot be renamed.
pub fn seal_recovered(folder: &Path, recovered: &Recovered) -> Result<(), Error> {
    match recovered.len {
        Some(_) => seal(folder, &folder.join(format!("{}{OPEN}", recovered.file))),
        None => Ok(()),
    }
}

/// Writes what stands there once more. When a sync has failed, the system may take for written what stands in memory
/// alone, and a second sync would say that all is well.
fn write_again(file: &File, from: u64, to: u64) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut at = from;
    while at < to {
        let len = PIECE.min(usize::try_from(to - at).unwrap_or(PIECE));
        file.read_exact_at(&mut piece[..len], at)?;
        file.write_all_at(&piece[..len], at)?;
        at += len as u64;
    }
    Ok(())
}

fn open_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut paths = Vec::new();
    if !folder.exists() {
        return Ok(paths);
    }
    for entry in std::fs::read_dir(folder).map_err(Error::new("list", folder))? {
        let path = entry.map_err(Error::new("list", folder))?.path();
        if path.to_string_lossy().ends_with(OPEN) {
            paths.push(path);
        }
    }
    // As they were written: a revisit in one refers to an original in the one before.
    paths.sort_by_cached_key(|path| (FileName::of(path).map(|name| (name.started, name.serial)), path.clone()));
    Ok(paths)
}

fn recover_file(path: &Path, name: String, committed: &dyn Fn(&str) -> u64) -> Result<Recovered, Error> {
    let len = std::fs::metadata(path).map_err(Error::new("look at", path))?.len();
    // A file shorter than the database knows has lost its end: what is whole in it is found anew.
    let lost = committed(&name) > len;
    let known = if lost { 0 } else { committed(&name) };
    let mut records = Records::open(path, known).map_err(Error::new("read", path))?;
    let (mut found, mut whole) = (Vec::new(), known);
    let mut group: Vec<Record> = Vec::new();
    while let Some(Ok(record)) = records.next() {
        if !records.is_at_a_boundary() {
            // Each of ours is packed by itself: what is left of its last bytes still makes some sense, and is not its own.
            break;
        }
        let end = record.offset + record.length;
        match record.kind() {
            "warcinfo" => {}
            "metadata" => {
                group.push(record);
                if let Some(one) = read_group(&name, std::mem::take(&mut group)) {
                    found.push(one);
                    whole = end;
                }
            }
            _ => group.push(record),
        }
    }
    let len_now = if whole > 0 {
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(Error::new("cut", path))?;
        file.set_len(whole).map_err(Error::new("cut", path))?;
        write_again(&file, known, whole).and_then(|()| file.sync_all()).map_err(Error::new("sync", path))?;
        Some(whole)
    } else {
        std::fs::remove_file(path).map_err(Error::new("remove", path))?;
        None
    };
    Ok(Recovered { file: name, found, cut: len - whole, len: len_now, lost })
}

/// A first record, perhaps a request and resources, and the metadata that concludes them.
pub(super) fn read_group(file: &str, mut group: Vec<Record>) -> Option<Found> {
    let metadata = group.pop().filter(|last| last.kind() == "metadata")?;
    let first = group.first()?.clone();
    let of_first = |record: &Record| record.field("WARC-Concurrent-To") == first.field("WARC-Record-ID");
    if !of_first(&metadata) || !group[1..].iter().all(of_first) {
        return None;
    }
    let kind = match first.kind() {
        "response" => Kind::Response,
        "revisit" => Kind::Revisit,
        "resource" => Kind::Resource,
        _ => return None,
    };
    let notes = Notes::of_block(&metadata.block)?;
    let (status, media, validators, payload_len) = match kind {
        Kind::Response | Kind::Revisit => {
            let head = Head::read(first.http().0);
            let payload_len = if kind == Kind::Revisit { 0 } else { entity(&first).len() };
            let status = Some(head.status).filter(|status| *status > 0);
            (status, head.field("content-type"), Validators::of(&head), payload_len)
        }
        Kind::Resource => {
            (None, first.field("Content-Type").map(str::to_owned), Validators::default(), first.block.len())
        }
    };
    let place = |record: &Record| Place { file: file.to_owned(), offset: record.offset, length: record.length };
    let capture = Capture {
        url: first.field("WARC-Target-URI")?.to_owned(),
        at: Timestamp::from_iso(first.field("WARC-Date")?)?,
        record_id: first.field("WARC-Record-ID")?.to_owned(),
        kind,
        status,
        media,
        validators,
        // An answer without a head has no payload apart from its block.
        payload: Digest::from_text(first.field("WARC-Payload-Digest").or(first.field("WARC-Block-Digest"))?),
        payload_len: payload_len as u64,
        refers_to: original(&first).filter(|_| kind == Kind::Revisit),
        // A revisit is cut because its payload is elsewhere.
        truncated: first.field("WARC-Truncated").filter(|_| kind != Kind::Revisit).map(str::to_owned),
        address: first.field("WARC-IP-Address").and_then(|address| address.parse().ok()),
        place: place(&first),
        request: group.iter().find(|record| record.kind() == "request").map(place),
        metadata: place(&metadata),
    };
    Some(Found { capture, notes, first })
}

/// Where a revisit says its payload is.
pub(super) fn original(revisit: &Record) -> Option<Original> {
    let url = revisit.field("WARC-Refers-To-Target-URI")?.to_owned();
    let at = Timestamp::from_iso(revisit.field("WARC-Refers-To-Date")?)?;
    Some(Original { record_id: revisit.field("WARC-Refers-To").unwrap_or_default().to_owned(), url, at })
}
