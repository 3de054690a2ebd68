//! A host that does not give a picture: what is asked next, and when it is enough.

use crate::archive::Notes;
use crate::web::candidate::Candidate;
use crate::web::ladder::{By, Rung, ladder};
use crate::web::outcome::{Manner, Outcome};
use crate::web::picture::Flaw;
use crate::web::time::Timestamp;

/// The way in which this URL is asked for next.
pub(super) fn asked_by(candidate: &Candidate, with_table: bool) -> Rung {
    let rungs = ladder(candidate, with_table);
    let last = rungs.len() - 1;
    rungs.into_iter().nth(usize::from(candidate.rung).min(last)).expect("no ladder is without a first rung")
}

/// The way in which a capture's notes say that it was asked for, with its number and that of all ways. What an older
/// version wrote has no numbers: they are those of today's ladder, and a way that is not in it is the last one.
pub(super) fn noted(notes: &Notes, candidate: &Candidate, with_table: bool) -> (Option<By>, u8, u8) {
    let by = notes.referer_by.as_deref().and_then(By::of_word);
    if notes.rungs > 0 {
        return (by, notes.rung, notes.rungs);
    }
    let rungs = ladder(candidate, with_table);
    let last = rungs.len() - 1;
    let rung = by.map_or(0, |by| rungs.iter().position(|rung| rung.by == by).unwrap_or(last));
    (by, number(rung), number(rungs.len()))
}

/// Ladders are short.
pub(super) fn number(rung: usize) -> u8 {
    u8::try_from(rung).unwrap_or(u8::MAX)
}

/// A refusal, or something else in a picture's place: it is asked for in the next of so many ways, if there is one. The
/// gate sees to it that this does not come faster than anything else.
pub(super) fn climbed(
    outcome: Outcome,
    flaw: Option<Flaw>,
    candidate: &Candidate,
    rungs: u8,
    now: Timestamp,
) -> Outcome {
    let Outcome::Done { status } = outcome else { return outcome };
    let is_refused = matches!(status, 401 | 403) || flaw.is_some_and(Flaw::is_no_picture);
    let next = candidate.rung.saturating_add(1);
    if is_refused && next < rungs { Outcome::Again { at: now, manner: Manner::Rung(next) } } else { outcome }
}

/// Attempts before this one, as far as they wear out patience: another way of asking is a new beginning.
pub(super) fn worn(candidate: &Candidate, tries: u32) -> u32 {
    tries.saturating_sub(u32::from(candidate.rung))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::candidate::Role;
    use crate::web::url::WebUrl;

    fn picture(url: &str, rung: u8) -> Candidate {
        Candidate { rung, ..Candidate::new(WebUrl::parse(url).unwrap(), Role::Image) }
    }

    #[test]
    fn only_a_refusal_leads_on_and_only_to_the_last_rung() {
        let now = Timestamp(7);
        for (status, flaw, rung, next) in [
            (403, None, 0, Some(1)),
            (401, None, 1, Some(2)),
            (403, None, 2, None),
            (404, None, 0, None),
            (200, None, 0, None),
            (200, Some(Flaw::Page), 0, Some(1)),
            (200, Some(Flaw::Empty), 1, Some(2)),
            (200, Some(Flaw::Cut), 0, None),
            (200, Some(Flaw::Broken), 0, None),
        ] {
            let done = Outcome::Done { status };
            let want = next.map_or(done.clone(), |next| Outcome::Again { at: now, manner: Manner::Rung(next) });
            let candidate = picture("http://i.example/1.png", rung);
            assert_eq!(climbed(done, flaw, &candidate, 3, now), want, "{status} {flaw:?} at {rung}");
        }
    }

    #[test]
    fn the_notes_say_in_which_way_a_picture_was_asked_for() {
        for (by, rung, rungs, want) in [
            (Some("policy"), 0, 3, (Some(By::Policy), 0, 3)),
            (Some("none"), 1, 3, (Some(By::None), 1, 3)),
            (Some("origin"), 2, 3, (Some(By::Origin), 2, 3)),
            (Some("policy"), 0, 0, (Some(By::Policy), 0, 2)),
            (Some("none"), 0, 0, (Some(By::None), 1, 2)),
            (Some("telepathy"), 0, 0, (None, 0, 2)),
            (None, 0, 0, (None, 0, 2)),
        ] {
            let notes = Notes { referer_by: by.map(str::to_owned), rung, rungs, ..Notes::new("", Role::Image) };
            let page = Some("http://news.example/a".to_owned());
            let candidate = Candidate { page, ..picture("http://i.example/1.png", 0) };
            assert_eq!(noted(&notes, &candidate, false), want, "{by:?} {rung} of {rungs}");
        }
    }

    #[test]
    fn another_way_begins_anew() {
        for (rung, tries, want) in [(0, 1, 1), (1, 1, 0), (2, 2, 0), (1, 2, 1)] {
            assert_eq!(worn(&picture("http://i.example/1.png", rung), tries), want, "{tries} at {rung}");
        }
    }
}
