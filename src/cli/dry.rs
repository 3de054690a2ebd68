//! `crawl --dry-run`: each URL with the rule that decides on it, one a line, and nothing written.

use serde_json::{Value, json};

use super::args::{Common, Crawl};
use super::crawl::{Performed, block_on, log_in, perform_and_tell, plan, progress, seeds, source, verdict, why};
use super::exit::{Exit, Outcome, failed};
use super::say;
use crate::crawl::{self, Brings, DATABASE, Decision, Event, Lock};
use crate::report;
use crate::web::time::Timestamp;

/// Decides on everything that a crawl with these options comes across.
pub(super) fn run(common: &Common, crawl: Box<Crawl>) -> Outcome {
    let sources = crawl.seeds.iter().map(|text| source(text)).collect::<anyhow::Result<Vec<_>>>()?;
    // A run at work asks the same hosts, and knows nothing of this one.
    if Lock::is_held(&common.archive) == Some(true) {
        return Err(crawl::Error::Held(common.archive.clone()).into());
    }
    let seeds = seeds(&sources)?;
    let (json, strict) = (crawl.json, crawl.strict);
    let scratch = tempfile::tempdir().map_err(|cause| failed("make a folder for what is thrown away", cause))?;
    let elsewhere = Common { archive: scratch.path().join("archive"), ..common.clone() };
    let mut plan = plan(&elsewhere, *crawl, seeds)?;
    log_in(&mut plan.fetch.credentials, &plan.seeds)?;
    plan.dry_run = Some(common.archive.join(DATABASE));
    plan.brings = Brings { images: false, requisites: false };
    plan.budget.archive = None;
    let mut progress = progress(common.quiet);
    let mut printed = Ok(Exit::Done);
    let mut hear = |event: &Event| {
        progress.hear(event);
        if let Event::Decided(decision) = event
            && printed.is_ok()
        {
            printed = if json { super::print_json(object(decision)) } else { super::print_text(&line(decision)) };
        }
    };
    let performed = block_on(perform_and_tell(&plan, &mut hear))?;
    progress.finish();
    printed?;
    let Performed { summary, signal, rejected } = performed;
    let exit = verdict(&summary, strict, signal, rejected);
    if let Some(why) = why(&summary, exit, rejected).filter(|_| exit != Exit::Done) {
        say(&format!("pressmark: {why}"));
    }
    Ok(exit)
}

fn object(decision: &Decision) -> Value {
    json!({
        "url": decision.url.as_str(),
        "in": decision.is_in,
        "rule": decision.rule,
        "robots": decision.robots.as_ref().map(|verdict| {
            json!({"allowed": verdict.allowed, "rule": verdict.rule, "line": verdict.line})
        }),
        "kept": decision.kept.map(Timestamp::iso),
    })
}

/// `in   http://news.example/a.html  listed by a feed or sitemap; robots.txt: no rule matches; kept already, …`
fn line(decision: &Decision) -> String {
    let word = if decision.is_in { "in " } else { "out" };
    let robots = decision.robots.as_ref().filter(|verdict| verdict.allowed);
    let robots =
        robots.map_or(String::new(), |verdict| format!("; robots.txt: {}", report::clean(&verdict.to_string())));
    let kept = decision.kept.map_or(String::new(), |kept| format!("; kept already, {}", kept.iso()));
    format!("{word}  {}  {}{robots}{kept}\n", report::clean(decision.url.as_str()), report::clean(&decision.rule))
}
