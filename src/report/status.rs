//! The screen that says what an archive holds, what waits, and how the last runs went.

use serde_json::{Value, json};

use super::table::laid_out;
use super::words::{ago, bytes, clean, clipped, counted, duration, grouped};
use crate::crawl;
use crate::store::{RunRow, Status};
use crate::web::time::Timestamp;

/// What the archive holds, what waits by host, what rules against traps kept out in all runs, and the last runs; a few
/// blocks of lines for people.
///
/// A run without an end was killed, but for the newest one when the archive is `held`: that one is at work, unless the
/// `holder` is a command that makes no runs. Where nobody can tell (none), it says so.
pub fn status(status: &Status, held: Option<bool>, holder: Option<&str>, now: Timestamp) -> String {
    let other = holder.filter(|command| RUNLESS.contains(command));
    let running = if other.is_some() { Some(false) } else { held };
    let mut blocks = vec![holdings(status), queue(status)];
    blocks.extend(trapped(status));
    blocks.push(runs(&status.runs, running, now));
    blocks.extend(other.map(|command| vec![format!("«pressmark {command}» is at work on it.")]));
    blocks.iter().map(|lines| lines.join("\n") + "\n").collect::<Vec<_>>().join("\n")
}

/// As much of an example as is shown to people; programs get the whole.
const EXAMPLE_COLUMNS: usize = 80;
/// Commands that hold the archive and make no run.
const RUNLESS: [&str; 4] = ["repair", "reindex", "forget", "block"];

/// The same facts for programs. `stopped_by` and `finished` are null for a run that was killed or is still at work;
/// `held` says whether somebody holds the archive, null where nobody can tell, and `held_by` the command, null where that
/// is not known; `kept_out` lists rules against traps with their links and one of these; `counters` is the object that
/// `crawl --json` prints, as far as it had come.
pub fn status_json(status: &Status, held: Option<bool>, holder: Option<&str>) -> Value {
    let waiting = status.waiting.iter();
    let runs = status.runs.iter().map(|run| {
        json!({
            "run": run.id,
            "profile": run.profile,
            "started": run.started.iso(),
            "finished": run.finished.map(Timestamp::iso),
            "stopped_by": run.stopped_by,
            "counters": counters(run),
        })
    });
    json!({
        "held": held,
        "held_by": holder,
        "urls": status.states.iter().map(|(state, n)| (state.clone(), json!(n))).collect::<serde_json::Map<_, _>>(),
        "captures": { "count": status.captures.0, "payload_bytes": status.captures.1 },
        "articles": { "count": status.articles.0, "complete": status.articles.1 },
        "images": { "count": status.images.0, "kept": status.images.1 },
        "waiting": waiting
            .map(|(host, pages, requisites)| json!({ "host": host, "pages": pages, "requisites": requisites }))
            .collect::<Vec<_>>(),
        "kept_out": traps(status)
            .map(|(rule, urls, example)| json!({ "rule": rule, "urls": urls, "example": example }))
            .collect::<Vec<_>>(),
        "runs": runs.collect::<Vec<_>>(),
    })
}

/// The rules against traps among those that kept something out; the bounds of a crawl are no news.
fn traps(status: &Status) -> impl Iterator<Item = &(String, u64, String)> {
    status.kept_out.iter().filter(|(rule, ..)| crawl::is_trap(rule))
}

fn trapped(status: &Status) -> Option<Vec<String>> {
    let lines = traps(status).flat_map(|(rule, urls, example)| {
        let example = clean(example);
        [
            format!("  {}: {}", counted(*urls, "link"), clean(rule)),
            format!("    such as {}", clipped(&example, EXAMPLE_COLUMNS)),
        ]
    });
    let lines: Vec<String> = std::iter::once("Kept out by rules against traps".to_owned()).chain(lines).collect();
    (lines.len() > 1).then_some(lines)
}

fn holdings(status: &Status) -> Vec<String> {
    let (captures, size) = status.captures;
    let (articles, complete) = status.articles;
    let (pictures, kept) = status.images;
    let known: u64 = status.states.iter().map(|(_, number)| number).sum();
    if captures == 0 && known == 0 {
        return vec!["The archive is empty.".to_owned()];
    }
    let of = |number: u64, all: u64, what: &str| match (number, all) {
        (_, 0) => String::new(),
        (number, all) if number == all => format!(", all {what}"),
        (number, _) => format!(", {} {what}", grouped(number)),
    };
    let mut states: Vec<&(String, u64)> = status.states.iter().collect();
    states.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let states: Vec<String> =
        states.iter().map(|(state, number)| format!("{} {}", grouped(*number), clean(state))).collect();
    let states = if states.is_empty() { String::new() } else { format!(": {}", states.join(", ")) };
    vec![
        "The archive holds".to_owned(),
        format!("  {} with {}", counted(captures, "capture"), bytes(size)),
        format!("  {}{}", counted(articles, "article"), of(complete, articles, "complete")),
        format!("  {}{}", counted(pictures, "picture"), of(kept, pictures, "kept")),
        format!("  {}{states}", counted(known, "URL")),
    ]
}

fn queue(status: &Status) -> Vec<String> {
    if status.waiting.is_empty() {
        return vec!["Nothing waits.".to_owned()];
    }
    let header = ["Waiting", "pages", "requisites"].map(str::to_owned).to_vec();
    let hosts = status
        .waiting
        .iter()
        .map(|(host, pages, requisites)| vec![format!("  {}", clean(host)), grouped(*pages), grouped(*requisites)]);
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(hosts).collect();
    let mut lines = laid_out(&rows, &[false, true, true]);
    let listed: u64 = status.waiting.iter().map(|(_, pages, requisites)| pages + requisites).sum();
    let queued = status.states.iter().find(|(state, _)| state == "queued").map_or(0, |(_, number)| *number);
    if queued > listed {
        lines.push(format!("  and {} on other hosts", counted(queued - listed, "URL")));
    }
    lines
}

fn runs(runs: &[RunRow], held: Option<bool>, now: Timestamp) -> Vec<String> {
    if runs.is_empty() {
        return vec!["There was no run yet.".to_owned()];
    }
    let unended = |newest: bool| match held.filter(|_| newest) {
        Some(true) => "running",
        None if newest => "running or killed",
        _ => "killed",
    };
    let rows: Vec<Vec<String>> = runs.iter().enumerate().map(|(i, run)| run_cells(run, unended(i == 0), now)).collect();
    let lines = laid_out(&rows, &[true, false, false, false, true, false, false]);
    std::iter::once("The last runs".to_owned()).chain(lines).collect()
}

/// Number, profile, when, how long ago, how long it took, how it ended, what it did.
fn run_cells(run: &RunRow, unended: &str, now: Timestamp) -> Vec<String> {
    let ended = match (run.finished, &run.stopped_by) {
        (None, _) => unended.to_owned(),
        (Some(_), by) => by.as_deref().map_or_else(|| "ended".to_owned(), |by| clean(by).into_owned()),
    };
    let counters = counters(run);
    let counter = |key: &str| counters.get(key).and_then(Value::as_u64);
    let did = [("pages", "page"), ("articles", "article"), ("images", "picture")];
    let did = did.iter().filter_map(|(key, noun)| Some(counted(counter(key)?, noun)));
    let failed = counter("failed").filter(|failed| *failed > 0).map(|failed| format!("{} failed", grouped(failed)));
    vec![
        format!("  {}", run.id),
        clean(&run.profile).into_owned(),
        run.started.utc().format("%Y-%m-%d %H:%M UTC").to_string(),
        ago(run.started, now),
        run.finished.map_or_else(String::new, |finished| duration(finished.since(run.started))),
        ended,
        did.chain(failed).collect::<Vec<_>>().join(", "),
    ]
}

/// What a run wrote of itself; null when that cannot be read.
fn counters(run: &RunRow) -> Value {
    serde_json::from_str(&run.counters).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_792_676_785_123);

    fn check(holds: &Status, expected: &str) {
        assert_eq!(status(holds, Some(true), Some("crawl"), NOW), expected);
    }

    fn run(id: i64, hours_ago: i64, seconds: Option<i64>, stopped_by: Option<&str>, counters: &str) -> RunRow {
        let started = NOW.0 - hours_ago * 3_600_000;
        RunRow {
            id,
            profile: "default".to_owned(),
            started: Timestamp(started),
            finished: seconds.map(|seconds| Timestamp(started + seconds * 1000)),
            stopped_by: stopped_by.map(str::to_owned),
            counters: counters.to_owned(),
        }
    }

    fn busy() -> Status {
        Status {
            states: vec![("done".to_owned(), 1000), ("failed".to_owned(), 2), ("queued".to_owned(), 1200)],
            captures: (1234, 56_700_000),
            articles: (120, 116),
            images: (480, 480),
            waiting: vec![("news.example".to_owned(), 12, 1030), ("b\u{1b}.example".to_owned(), 0, 1)],
            kept_out: vec![
                ("a trap: x".to_owned(), 1203, format!("http://b\u{1b}.example/{}", "y".repeat(90))),
                ("[scope] depth".to_owned(), 5, "http://c.example/".to_owned()),
            ],
            runs: vec![
                run(12, 0, None, None, "{}"),
                run(11, 2, Some(200), Some("done"), r#"{"pages":1,"articles":1,"images":48,"failed":2}"#),
                run(9, 26, None, None, r#"{"pages":7,"articles":0,"images":0,"failed":0}"#),
                run(8, 2400, Some(7260), Some("signal"), "not JSON"),
            ],
        }
    }

    #[test]
    fn a_busy_archive_fits_on_a_screen() {
        check(
            &busy(),
            "\
The archive holds
  1,234 captures with 56.7 MB
  120 articles, 116 complete
  480 pictures, all kept
  2,202 URLs: 1,200 queued, 1,000 done, 2 failed

Waiting         pages  requisites
  news.example     12       1,030
  b�.example        0           1
  and 157 URLs on other hosts

Kept out by rules against traps
  1,203 links: a trap: x
    such as http://b�.example/yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…

The last runs
  12  default  2026-10-22 13:46 UTC  just now               running
  11  default  2026-10-22 11:46 UTC  2 h ago    3 min 20 s  done     1 page, 1 article, 48 pictures, 2 failed
   9  default  2026-10-21 11:46 UTC  1 d ago                killed   7 pages, 0 articles, 0 pictures
   8  default  2026-07-14 13:46 UTC  100 d ago   2 h 1 min  signal
",
        );
    }

    #[test]
    fn a_run_without_an_end_is_at_work_only_while_the_archive_is_held() {
        for (held, word) in [(Some(true), "running"), (Some(false), "killed"), (None, "running or killed")] {
            let runs = runs(&busy().runs, held, NOW);
            assert!(runs[1].ends_with(&format!("just now               {word}")), "{runs:?}");
            assert!(runs[3].contains("1 d ago                killed"), "{runs:?}");
        }
    }

    #[test]
    fn a_command_that_makes_no_run_is_no_run() {
        let text = status(&busy(), Some(true), Some("repair"), NOW);
        assert!(!text.contains("running") && text.ends_with("\n«pressmark repair» is at work on it.\n"), "{text}");
        assert!(status(&busy(), Some(true), Some("import"), NOW).contains("running"));
    }

    #[test]
    fn an_empty_archive_says_so() {
        check(&Status::default(), "The archive is empty.\n\nNothing waits.\n\nThere was no run yet.\n");
    }

    #[test]
    fn programs_get_the_same_facts() {
        let json = status_json(&busy(), Some(true), Some("crawl"));
        assert_eq!(json["held"], true);
        assert_eq!(json["held_by"], "crawl");
        assert_eq!(json["urls"]["queued"], 1200);
        assert_eq!(json["captures"], json!({ "count": 1234, "payload_bytes": 56_700_000 }));
        assert_eq!(json["waiting"][0], json!({ "host": "news.example", "pages": 12, "requisites": 1030 }));
        let example = busy().kept_out[0].2.clone();
        assert_eq!(json["kept_out"], json!([{ "rule": "a trap: x", "urls": 1203, "example": example }]));
        assert_eq!(json["runs"][1]["started"], "2026-10-22T11:46:25.123Z");
        assert_eq!(json["runs"][1]["counters"]["images"], 48);
        assert_eq!(json["runs"][0]["finished"], Value::Null);
        assert_eq!(json["runs"][3]["counters"], Value::Null);
    }
}
