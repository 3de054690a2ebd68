//! From a plan's seeds to the queue: reads the documents, judges the URLs, writes both down.

use std::collections::HashSet;

use super::saved;
use super::step::{Step, Taken, document_uri};
use super::{Decision, Error, Event, Plan, Revisit, SeedInput, Verdict};
use crate::seeds::{self, Format, Harvest};
use crate::store::{Batch, Run, Store};
use crate::web::candidate::{Candidate, Role};
use crate::web::claims::Claims;
use crate::web::digest::digest;
use crate::web::time::Timestamp;
use crate::web::url::{WebUrl, without_credentials};

/// What seeds on the command line are said to come from.
const COMMAND_LINE: &str = "command line";

/// What was planted.
#[derive(Default)]
pub(super) struct Planted {
    /// The URLs, as they were offered.
    pub candidates: Vec<Candidate>,
    /// Documents that are their own articles and that the archive does not hold yet in this form.
    pub documents: Vec<Taken>,
    /// Every seed by its row, in order.
    pub seeds: Vec<(i64, String)>,
}

struct Planting<'a> {
    plan: &'a Plan,
    step: &'a Step,
    store: &'a mut Store,
    run: Run,
    wall: Timestamp,
    tell: &'a mut (dyn FnMut(Event) + Send),
    seen: HashSet<String>,
    planted: Planted,
}

/// Reads the plan's seeds and queues them durably. What cannot be used is told, the rest goes on.
pub(super) fn plant(
    plan: &Plan,
    step: &Step,
    store: &mut Store,
    run: Run,
    wall: Timestamp,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<Planted, Error> {
    let mut planting =
        Planting { plan, step, store, run, wall, tell, seen: HashSet::new(), planted: Planted::default() };
    for input in &plan.seeds {
        match input {
            SeedInput::Url(text) => planting.url(text)?,
            SeedInput::Document { name, bytes } => planting.document(name, bytes)?,
        }
    }
    let planted = planting.planted;
    let batch = Batch { offers: planted.candidates.clone(), counters: "{}".to_owned(), ..Batch::default() };
    store.commit(run, &batch, wall)?;
    Ok(planted)
}

impl Planting<'_> {
    fn url(&mut self, text: &str) -> Result<(), Error> {
        match WebUrl::parse(text) {
            Ok(url) => self.seed(url, COMMAND_LINE, 0, Claims::default(), self.plan.revisit != Revisit::Never),
            Err(cause) => {
                self.reject(COMMAND_LINE, 0, text, cause.to_string());
                Ok(())
            }
        }
    }

    fn document(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut harvest = seeds::read(name, bytes);
        if harvest.format == Some(Format::Html) {
            harvest = saved::read(name, bytes, self.wall);
        }
        let Harvest { format, seeds, documents, rejects } = harvest;
        for reject in rejects {
            self.reject(name, reject.line, &reject.text, reject.reason);
        }
        // What a person lists is asked for again by every run; what a stored feed lists is fetched once.
        let again = match self.plan.revisit {
            Revisit::Auto => matches!(format, Some(Format::List | Format::Opml)),
            Revisit::Always => true,
            Revisit::Never => false,
        };
        for seed in seeds {
            self.seed(seed.url, name, seed.line, seed.claims, again)?;
        }
        for document in documents {
            self.post(name, &document)?;
        }
        Ok(())
    }

    fn post(&mut self, name: &str, document: &seeds::Document) -> Result<(), Error> {
        let uri = document_uri(name);
        let id = self.store.add_seed(self.run.id, &uri, name, 0, &document.claims)?;
        self.planted.seeds.push((id, uri.clone()));
        if self.store.last_payload(&uri)?.as_deref() != Some(digest(self.plan.digest, &document.bytes).as_str()) {
            self.planted.documents.push(self.step.take_document(name, document, id, self.wall)?);
        }
        Ok(())
    }

    fn seed(&mut self, url: WebUrl, source: &str, line: u32, claims: Claims, again: bool) -> Result<(), Error> {
        if let Verdict::Out(rule) = self.plan.scope.judge_seed(&url) {
            if self.plan.dry_run.is_some() {
                let decision =
                    Decision { url: url.clone(), is_in: false, rule: rule.clone(), robots: None, kept: None };
                (self.tell)(Event::Decided(decision));
            }
            self.reject(source, line, url.as_str(), rule);
            return Ok(());
        }
        if !self.seen.insert(url.as_str().to_owned()) {
            return Ok(());
        }
        let id = self.store.add_seed(self.run.id, url.as_str(), source, line, &claims)?;
        self.planted.seeds.push((id, url.as_str().to_owned()));
        let claims = Some(Box::new(claims)).filter(|claims| **claims != Claims::default());
        self.planted.candidates.push(Candidate {
            url,
            via: None,
            seed: id,
            depth: 0,
            hops: 0,
            role: Role::Page,
            page: None,
            referer: None,
            referrer: None,
            rung: 0,
            priority: 1,
            claims,
            again,
        });
        Ok(())
    }

    fn reject(&mut self, source: &str, line: u32, text: &str, reason: String) {
        let text = without_credentials(text).into_owned();
        (self.tell)(Event::Rejected { source: source.to_owned(), line, text, reason });
    }
}
