//! The closing lines of a run.

use std::time::Duration;

use super::words::{bytes, clean, counted, duration};
use crate::crawl::Summary;

/// Longer lists end with how many more there are.
const LISTED: usize = 5;

/// What a run did, as a block of lines for people; each line ends with a line end.
pub fn summary(summary: &Summary) -> String {
    let took = duration(Duration::try_from_secs_f64(summary.elapsed_s).unwrap_or_default());
    let mut lines = vec![format!("Run {} {} after {took}.", summary.run, stopped(&summary.stopped_by))];
    let mut line = |name: &str, text: &str| lines.push(format!("  {name:<11}{text}"));
    line(
        "kept",
        &format!(
            "{}, {}, {}",
            counted(summary.pages, "page"),
            counted(summary.articles, "new or changed article"),
            counted(summary.images, "picture"),
        ),
    );
    line("asked", &asked(summary));
    line("received", &format!("{}, {} written", bytes(summary.bytes_received), bytes(summary.bytes_written)));
    if summary.failed > 0 {
        line("failed", &counted(summary.failed, "URL"));
    }
    if summary.refused_by_robots > 0 {
        line("refused", &format!("{}, by robots.txt", counted(summary.refused_by_robots, "URL")));
    }
    if let Some(postponed) = &summary.postponed {
        line("waiting", &format!("{}, none before {}", counted(postponed.urls, "URL"), clean(&postponed.until)));
    }
    let traps: Vec<String> =
        summary.traps.iter().map(|trap| format!("{}: {}", counted(trap.urls, "link"), trap.rule)).collect();
    for (i, trap) in listed(&traps).iter().enumerate() {
        line(if i == 0 { "kept out" } else { "" }, trap);
    }
    if summary.articles_incomplete > 0 {
        let lack = if summary.articles_incomplete == 1 { "lacks" } else { "lack" };
        line("incomplete", &format!("{} {lack} a picture", counted(summary.articles_incomplete, "article")));
    }
    let troubled: Vec<_> = summary.seeds.iter().filter(|seed| seed.verdict != "ok").collect();
    if !troubled.is_empty() {
        line("seeds", &format!("{} of {} not ok:", troubled.len(), summary.seeds.len()));
        let shown: Vec<String> = troubled.iter().map(|seed| format!("{} {}", seed.verdict, seed.seed)).collect();
        listed(&shown).iter().for_each(|seed| line("", seed));
    }
    let files = listed(&summary.warc_files);
    for (i, file) in files.iter().enumerate() {
        let name = match i {
            0 if summary.warc_files.len() == 1 => "file",
            0 => "files",
            _ => "",
        };
        line(name, file);
    }
    lines.join("\n") + "\n"
}

fn stopped(by: &str) -> String {
    match by {
        "done" => "is done".to_owned(),
        "time" => "stopped at its time limit".to_owned(),
        "pages" => "stopped at its page limit".to_owned(),
        "bytes" => "stopped at its byte limit".to_owned(),
        "archive" => "stopped because the archive has its full size".to_owned(),
        "signal" => "was stopped by a signal".to_owned(),
        by => format!("was stopped by {}", clean(by)),
    }
}

fn asked(summary: &Summary) -> String {
    let requests = counted(summary.requests, "request");
    if summary.revisits == 0 {
        return requests;
    }
    format!("{requests}, {} as before", counted(summary.revisits, "answer"))
}

fn listed(texts: &[String]) -> Vec<String> {
    let shown = if texts.len() > LISTED { LISTED - 1 } else { texts.len() };
    let mut lines: Vec<String> = texts[..shown].iter().map(|text| clean(text).into_owned()).collect();
    if shown < texts.len() {
        lines.push(format!("and {} more", texts.len() - shown));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crawl::SeedSummary;

    fn check(did: &Summary, expected: &[&str]) {
        assert_eq!(summary(did).lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_run_without_trouble_is_short() {
        let did = Summary {
            run: 7,
            stopped_by: "done".to_owned(),
            pages: 1,
            articles: 1,
            images: 12,
            requests: 16,
            bytes_received: 2_345_678,
            bytes_written: 999,
            warc_files: vec!["default-20261122T134625Z-7f3a9c1e-00001.warc.gz".to_owned()],
            elapsed_s: 65.4,
            ..Summary::default()
        };
        check(
            &did,
            &[
                "Run 7 is done after 1 min 5 s.",
                "  kept       1 page, 1 new or changed article, 12 pictures",
                "  asked      16 requests",
                "  received   2.3 MB, 999 bytes written",
                "  file       default-20261122T134625Z-7f3a9c1e-00001.warc.gz",
            ],
        );
    }

    #[test]
    fn what_went_wrong_is_said() {
        let seed = |name: &str, verdict: &str| SeedSummary {
            seed: name.to_owned(),
            verdict: verdict.to_owned(),
            ..SeedSummary::default()
        };
        let did = Summary {
            run: 12,
            stopped_by: "signal".to_owned(),
            pages: 1200,
            requests: 1,
            revisits: 1,
            failed: 2,
            refused_by_robots: 1,
            articles_incomplete: 1,
            seeds: vec![seed("https://a.example/", "ok"), seed("https://b.example/\u{1b}[2J", "failed")],
            warc_files: (1..=7).map(|n| format!("{n}.warc.gz")).collect(),
            elapsed_s: 0.25,
            ..Summary::default()
        };
        check(
            &did,
            &[
                "Run 12 was stopped by a signal after 0.2 s.",
                "  kept       1,200 pages, 0 new or changed articles, 0 pictures",
                "  asked      1 request, 1 answer as before",
                "  received   0 bytes, 0 bytes written",
                "  failed     2 URLs",
                "  refused    1 URL, by robots.txt",
                "  incomplete 1 article lacks a picture",
                "  seeds      1 of 2 not ok:",
                "             failed https://b.example/�[2J",
                "  files      1.warc.gz",
                "             2.warc.gz",
                "             3.warc.gz",
                "             4.warc.gz",
                "             and 3 more",
            ],
        );
    }

    #[test]
    fn every_end_has_a_name() {
        let check = |by: &str, expected: &str| assert_eq!(stopped(by), expected);
        check("done", "is done");
        check("time", "stopped at its time limit");
        check("pages", "stopped at its page limit");
        check("bytes", "stopped at its byte limit");
        check("archive", "stopped because the archive has its full size");
        check("signal", "was stopped by a signal");
        check("the cat", "was stopped by the cat");
    }
}
