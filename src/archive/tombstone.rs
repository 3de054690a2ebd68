//! What stands in a file where a capture was: a metadata record that says that there was one, and why there is none.

use serde_json::Value;

use super::read::Record;
use crate::web::digest::{Algorithm, digest};
use crate::web::time::Timestamp;

/// The key of its JSON object, which nothing else we write has.
const KEY: &str = "forgotten";

/// A tombstone for this URL, as the bytes of a record: what it says is `{"forgotten": said}`.
///
/// It belongs to no capture (there is none): a metadata record needs none (WARC/1.1, 6.6).
pub fn tombstone(url: &str, at: Timestamp, said: &Value) -> Vec<u8> {
    let block = serde_json::json!({ KEY: said }).to_string();
    let url: String = url.chars().filter(|c| !c.is_control()).collect();
    format!(
        "WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:{}>\r\nWARC-Date: {}\r\nWARC-Target-URI: {url}\r\n\
         WARC-Block-Digest: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{block}\r\n\r\n",
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
        && serde_json::from_slice::<Value>(&record.block).is_ok_and(|said| said.get(KEY).is_some())
}
