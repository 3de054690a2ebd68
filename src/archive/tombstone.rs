//! What stands in a file where a capture was: a metadata record that says that there was one, and why there is none.

use serde_json::Value;

use super::read::Record;
use crate::web::digest::{Algorithm, digest};
use crate::web::time::Timestamp;

/// The name of its one field, which nothing else we write has.
const FIELD: &str = "forgotten: ";

/// A tombstone for this URL, as the bytes of a record: what it says is the field `forgotten`, as JSON. Under any
/// type but `application/warc-fields` other tools' indexes would list it as a page (see [`super::Notes::to_block`]).
///
/// It belongs to no capture (there is none): a metadata record needs none (WARC/1.1, 6.6).
pub fn tombstone(url: &str, at: Timestamp, said: &Value) -> Vec<u8> {
    let block = format!("{FIELD}{said}\r\n");
    let url: String = url.chars().filter(|c| !c.is_control()).collect();
    format!(
        "WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:{}>\r\nWARC-Date: {}\r\nWARC-Target-URI: {url}\r\n\
         WARC-Block-Digest: {}\r\nContent-Type: application/warc-fields\r\nContent-Length: {}\r\n\r\n{block}\r\n\r\n",
        uuid::Uuid::new_v4(),
        at.iso(),
        digest(Algorithm::Sha1, block.as_bytes()),
        block.len(),
    )
    .into_bytes()
}

/// Whether a record is a tombstone.
pub fn is_tombstone(record: &Record) -> bool {
    record.kind() == "metadata"
        && record.field("WARC-Concurrent-To").is_none()
        && record.block.starts_with(FIELD.as_bytes())
}
