//! What a page names for the crawl: links, next pages, redirects, each judged by the scope before it is offered.

use super::{Reading, Spot, Step};
use crate::crawl::plan::Revisit;
use crate::crawl::scope::{Depth, Listing, Next, Origin, Verdict};
use crate::crawl::{dry, traps};
use crate::store::KeptOut;
use crate::web::candidate::{Candidate, Role};
use crate::web::claims::Claims;
use crate::web::expiry::expires;
use crate::web::referrer::Referrer;
use crate::web::url::WebUrl;

/// An address that expires goes before everything else that a page needs.
const EXPIRES: u8 = 1;

impl Step {
    /// Offers where an answer leads, by its status or by itself.
    pub(super) fn lead_on(&self, spot: &Spot<'_>, target: WebUrl, reading: &mut Reading) {
        reading.redirect = Some(target.clone());
        let verdict = self.scope.judge_redirect(&target, spot.role, spot.hops);
        if self.tells && spot.role == Role::Page {
            reading.found.push(dry::Found { url: target.clone(), rule: told(&verdict), is_list: true });
        }
        if let Verdict::Out(rule) = verdict {
            reading.dead_end = Some(format!("the redirect is not followed: {rule}"));
            return;
        }
        if spot.role == Role::Robots || spot.is_guess {
            return;
        }
        let is_seed = spot.depth == 0 && spot.role == Role::Page;
        let mut offered = self.candidate(spot, target, spot.role, None);
        offered.hops = spot.hops + 1;
        // Where a seed leads is as due as the seed.
        offered.again |= is_seed && self.revisit == Revisit::Auto;
        // A page that has begun ends before another begins.
        offered.priority = if spot.role == Role::Page { 0 } else { offered.priority };
        offered.depth = spot.depth;
        offered.page = spot.page.map(str::to_owned);
        offered.claims = spot.claims.cloned().map(Box::new);
        reading.offers.push(offered);
    }

    /// Offers a link of this page, with what was said of it, if it belongs to the crawl; else counts it under the rule
    /// that keeps it out. What `rel=nofollow` says is meant for those who rank pages.
    pub(super) fn follow(
        &self,
        spot: &Spot<'_>,
        page: &WebUrl,
        link: (&WebUrl, Option<Claims>),
        listing: Listing,
        reading: &mut Reading,
    ) {
        let (url, claims) = link;
        let from = Origin { seed: spot.seed, page, listing, depth: spot.depth };
        let (most, too_many) = match listing {
            Listing::Index | Listing::Listed => (traps::LISTED, traps::MANY_LISTED),
            Listing::List | Listing::Around | Listing::Page => (traps::LINKS, traps::MANY_LINKS),
        };
        let verdict = self.scope.judge(url, from);
        if self.tells {
            let rule = if reading.followed < most { told(&verdict) } else { Err(too_many.to_owned()) };
            reading.found.push(dry::Found { url: url.clone(), rule, is_list: listing == Listing::Index });
        }
        let rule = match verdict {
            Verdict::In(_) if reading.followed < most => {
                let mut offered = self.candidate(spot, url.clone(), Role::Page, None);
                offered.depth = spot.depth + 1;
                offered.claims = claims.map(Box::new);
                reading.offers.push(offered);
                reading.followed += 1;
                return;
            }
            Verdict::In(_) => too_many.to_owned(),
            Verdict::Out(rule) => rule,
        };
        keep_out(spot, url, rule, reading);
    }

    /// Whether a list's next page belongs to it: without a number of hops, and for the seed's own list.
    pub(super) fn turns(&self, spot: &Spot<'_>) -> bool {
        self.scope.depth == Depth::Auto && spot.depth == 0
    }

    /// Offers the next page of a seed's list, or of an article. It is as much the seed's as the page before.
    pub(super) fn turn(&self, spot: &Spot<'_>, page: &WebUrl, url: &WebUrl, next: Next, reading: &mut Reading) {
        let from = Origin { seed: spot.seed, page, listing: Listing::List, depth: spot.depth };
        let verdict = self.scope.judge_next(url, from, next, spot.hops);
        if self.tells {
            reading.found.push(dry::Found { url: url.clone(), rule: told(&verdict), is_list: next == Next::OfList });
        }
        if let Verdict::Out(rule) = verdict {
            keep_out(spot, url, rule, reading);
            return;
        }
        let mut offered = self.candidate(spot, url.clone(), Role::Page, None);
        offered.hops = if next == Next::OfList { spot.hops + 1 } else { 0 };
        // What a seed goes on with is as due as the seed.
        offered.again |= spot.depth == 0 && self.revisit == Revisit::Auto;
        reading.offers.push(offered);
    }

    /// A URL that this spot names.
    pub(super) fn candidate(&self, spot: &Spot<'_>, url: WebUrl, role: Role, referrer: Option<Referrer>) -> Candidate {
        // What is good for a while only is asked for while it is.
        let is_urgent = role == Role::Image && expires(&url);
        Candidate {
            referer: referrer.as_ref().and_then(|referrer| referrer.referer(&url)),
            referrer: referrer.map(Box::new),
            rung: 0,
            url,
            via: Some(spot.name.to_owned()),
            seed: spot.seed_id,
            depth: spot.depth,
            hops: 0,
            role,
            page: None,
            priority: if is_urgent { EXPIRES } else { priority(role, spot.depth) },
            claims: None,
            again: self.revisit == Revisit::Always,
        }
    }
}

/// Counts a link under the rule that keeps it out.
pub(super) fn keep_out(spot: &Spot<'_>, url: &WebUrl, rule: String, reading: &mut Reading) {
    let example = |rule: &String| KeptOut::example(spot.seed_id, rule.as_str(), url.as_str());
    reading.kept_out.entry(rule).or_insert_with_key(example).urls += 1;
}

/// A verdict as a dry run takes it.
pub(super) fn told(verdict: &Verdict) -> Result<&'static str, String> {
    match verdict {
        Verdict::In(rule) => Ok(rule),
        Verdict::Out(rule) => Err(rule.clone()),
    }
}

/// Lower goes first: seeds, then what makes a page look right, then pages by their distance.
pub(in crate::crawl) fn priority(role: Role, depth: u16) -> u8 {
    match role {
        Role::Robots | Role::Document => 0,
        Role::Style => 2,
        Role::Image => 3,
        Role::Font | Role::Script => 4,
        Role::Page => 10u8.saturating_add(u8::try_from(depth).unwrap_or(u8::MAX)),
    }
}
