//! What was forgotten, and how it is recognised wherever it stands: by its URL, by the ids of its records, by what it
//! held.

use std::collections::HashSet;
use std::path::Path;

use super::{Error, takedown};
use crate::archive::{Group, Kind, Record, entity, is_tombstone};
use crate::store::{Removed, Store};
use crate::web::digest::{Algorithm, digest};
use crate::web::url::WebUrl;

/// See the module's head.
#[derive(Clone, Debug, Default)]
pub(super) struct Unwanted {
    urls: HashSet<String>,
    /// Ids of the first records of captures.
    ids: HashSet<String>,
    /// A payload is the content when a digest of any kind says so.
    digests: HashSet<String>,
}

impl Unwanted {
    /// This URL, and what earlier take-downs of it removed.
    pub(super) fn of_url(url: &str, removed: &[Removed]) -> Unwanted {
        let mut unwanted = Unwanted::default();
        unwanted.add(url, removed);
        unwanted
    }

    /// All that the archive has forgotten and that was not allowed again.
    pub(super) fn of_archive(archive: &Path, store: &Store) -> Result<Unwanted, Error> {
        let mut unwanted = Unwanted::default();
        for (url, removed) in takedown::forgotten(archive, store)? {
            unwanted.add(&url, &removed);
        }
        Ok(unwanted)
    }

    fn add(&mut self, url: &str, removed: &[Removed]) {
        self.urls.insert(url.to_owned());
        self.ids.extend(removed.iter().map(|removed| removed.record_id.clone()));
        let contents = removed.iter().filter(|removed| is_content(removed.status));
        self.hold(contents.map(|removed| removed.payload_digest.clone()));
    }

    /// No payload at all is nobody's content.
    fn hold(&mut self, digests: impl IntoIterator<Item = String>) {
        let empty = [Algorithm::Sha1, Algorithm::Sha256].map(|kind| digest(kind, b"").as_str().to_owned());
        self.digests.extend(digests.into_iter().filter(|digest| !empty.contains(digest)));
    }

    /// There is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.urls.is_empty()
    }

    /// Learns what a URL held, when this group is of one.
    pub(super) fn learn(&mut self, group: &Group) {
        if self.names(group) {
            self.hold(contents(group));
        }
    }

    /// Whether this group is to go: of such a URL, or with the same content.
    pub(super) fn has(&self, group: &Group) -> bool {
        self.names(group)
            || group.found().map(|found| found.capture).is_some_and(|capture| {
                self.ids.contains(&capture.record_id)
                    || self.digests.contains(capture.payload.as_str())
                    || (capture.kind != Kind::Revisit
                        && contents(group).iter().any(|digest| self.digests.contains(digest)))
            })
    }

    /// Whether a record of this group is of such a URL.
    fn names(&self, group: &Group) -> bool {
        let is_url = |record: &Record| {
            record.field("WARC-Target-URI").map(|target| target.trim_matches(['<', '>'])).is_some_and(|target| {
                self.urls.contains(target) || WebUrl::parse(target).is_ok_and(|url| self.urls.contains(url.as_str()))
            })
        };
        group.records.iter().any(|record| is_url(record) && !is_tombstone(record))
    }
}

/// The body of a redirect or of an error is the server's boilerplate and not the URL's content.
fn is_content(status: Option<u16>) -> bool {
    status.is_none_or(|status| (200..300).contains(&status) || status == 304)
}

/// The digests of what a capture holds, when that is the URL's content: as it says, and in both of our kinds.
fn contents(group: &Group) -> Vec<String> {
    let Some(found) = group.found() else { return Vec::new() };
    let capture = &found.capture;
    if !is_content(capture.status) {
        return Vec::new();
    }
    let mut digests = vec![capture.payload.as_str().to_owned()];
    let body = match capture.kind {
        Kind::Response => entity(&found.first).into_owned(),
        Kind::Resource => found.first.block.clone(),
        Kind::Revisit => Vec::new(),
    };
    digests.extend([Algorithm::Sha1, Algorithm::Sha256].map(|kind| digest(kind, &body).as_str().to_owned()));
    digests
}
