//! A robots.txt as a crawl meets it: asked for like anything else, looked for where it has moved, read from its answer
//! or from the archive. What its rules say is [`crate::politeness`]'s business.

use super::coding::{self, robots_text};
use crate::archive::{self, Found, Kind, Record};
use crate::fetch::Request;
use crate::politeness::{Permit, RobotsCopy, within_limit};
use crate::web::candidate::{Candidate, Role};
use crate::web::exchange::{Exchange, Validators};
use crate::web::message::Head;
use crate::web::url::{Origin, WebUrl};

/// A robots.txt on its way to where it has moved.
pub(super) struct Errand {
    pub(super) origin: Origin,
    pub(super) to: WebUrl,
    /// Redirects followed so far.
    pub(super) hops: u8,
    /// The seed on whose account it is asked for.
    pub(super) seed: i64,
}

/// The request for a robots.txt, or for where it has moved.
pub(super) fn request(permit: Permit, url: WebUrl) -> Request {
    Request { permit, url, role: Role::Robots, referer: None, validators: Validators::default() }
}

/// A robots.txt as something to be archived.
pub(super) fn candidate(url: WebUrl, seed: i64) -> Candidate {
    Candidate {
        url,
        via: None,
        seed,
        depth: 0,
        hops: 0,
        role: Role::Robots,
        page: None,
        referer: None,
        referrer: None,
        rung: 0,
        priority: 0,
        claims: None,
        again: false,
    }
}

/// The text of an answer, as the gate reads it.
pub(super) fn body(exchange: &Exchange) -> Vec<u8> {
    let Some(answer) = &exchange.answer else { return Vec::new() };
    // A spool file that cannot be read is a file that says nothing; what it held is archived all the same.
    let body = archive::payload(answer, coding::ROBOTS).unwrap_or_default();
    robots_text(&answer.read_head(), body)
}

/// A robots.txt that was answered in full at its own place holds again, without being asked for once more.
pub(super) fn found(found: &Found, original: Option<&Record>) -> Option<(Origin, RobotsCopy)> {
    let (capture, url) = (&found.capture, WebUrl::parse(&found.capture.url).ok()?);
    let status = capture.status.filter(|status| matches!(status, 200..=299 | 400..=428 | 430..=499))?;
    if found.notes.role != Role::Robots || capture.truncated.is_some() || url.origin().robots() != url {
        return None;
    }
    let is_file = (200..300).contains(&status);
    if is_file && found.capture.kind == Kind::Revisit && original.is_none() {
        return None;
    }
    let body = archive::entity(original.unwrap_or(&found.first)).into_owned();
    let text = if is_file { robots_text(&Head::read(found.first.http().0), body) } else { Vec::new() };
    let bytes = within_limit(&text).to_vec();
    Some((url.origin(), RobotsCopy { fetched: capture.at, status, bytes }))
}
