//! A run as it goes: bars on a terminal, lines in a log, or only what went wrong.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;
use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::words::{bytes, clean, clipped, counted, duration, grouped, roughly};
use crate::crawl::Event;

/// Rates are taken over this long: short enough to show a stall, long enough for a host asked every few seconds.
const WINDOW: Duration = Duration::from_secs(30);
/// Before this much time a rate says nothing of what is to come.
const SETTLING: Duration = Duration::from_secs(10);
/// More hosts than these are not shown one by one.
const HOST_LINES: usize = 6;
/// A host that was not heard of for so long is not active.
const ACTIVE: Duration = Duration::from_secs(60);
/// The bars are worked out anew at most this often.
const REDRAW: Duration = Duration::from_millis(200);
/// In a log, how far it is stands once in this time.
const LINE_EVERY: Duration = Duration::from_secs(60);
/// So much is shown of a seed line that cannot be used: it may be anything.
const QUOTED: usize = 120;

/// How a run is shown, and where.
pub enum Style {
    /// Bars, for a terminal. The target must be one that shows: with a hidden one problems are lost as well.
    Bars(ProgressDrawTarget),
    /// Lines, for a log: each problem and refusal, and once a minute how far it is.
    Lines(Box<dyn Write + Send>),
    /// Only rejects, failures and warnings; nothing when all is well.
    Quiet(Box<dyn Write + Send>),
}

/// The listener of one run. It never fails a run: what cannot be written is dropped.
pub struct Progress {
    started: Instant,
    tally: Tally,
    screen: Screen,
}

impl Progress {
    /// A listener for a run that begins now.
    pub fn new(style: Style) -> Progress {
        let screen = match style {
            Style::Bars(target) => Screen::Bars(Box::new(Bars::new(target))),
            Style::Lines(out) => Screen::Lines { out, next: LINE_EVERY },
            Style::Quiet(out) => Screen::Quiet(out),
        };
        Progress { started: Instant::now(), tally: Tally::default(), screen }
    }

    /// Takes note of what happened and shows it.
    pub fn hear(&mut self, event: &Event) {
        self.hear_after(event, self.started.elapsed());
    }

    /// The run is over: the bars go, so that the summary can take their place. What is heard later is still shown.
    pub fn finish(&mut self) {
        match &mut self.screen {
            Screen::Bars(bars) => bars.clear(),
            Screen::Lines { out, .. } | Screen::Quiet(out) => {
                let _ = out.flush();
            }
        }
    }

    fn hear_after(&mut self, event: &Event, elapsed: Duration) {
        self.tally.note(event, elapsed);
        let said = said(event);
        match &mut self.screen {
            Screen::Bars(bars) => {
                if let Some(Said::News(text) | Said::Problem(text)) = said {
                    let _ = bars.multi.println(text);
                }
                bars.note(event, elapsed);
                bars.show(&self.tally, elapsed);
            }
            Screen::Lines { out, next } => {
                if let Some(Said::News(text) | Said::Problem(text)) = said {
                    let _ = writeln!(out, "{text}");
                }
                if elapsed >= *next {
                    let _ = writeln!(out, "{}: {}", duration(elapsed), self.tally.facts(elapsed));
                    *next = elapsed + LINE_EVERY;
                }
            }
            Screen::Quiet(out) => {
                if let Some(Said::Problem(text)) = said {
                    let _ = writeln!(out, "{text}");
                }
            }
        }
    }
}

enum Screen {
    Bars(Box<Bars>),
    Lines { out: Box<dyn Write + Send>, next: Duration },
    Quiet(Box<dyn Write + Send>),
}

/// A line for an event.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// As it should be.
    News(String),
    /// Not as it should be.
    Problem(String),
}

/// What is said of an event, on one line and harmless; most events only count.
fn said(event: &Event) -> Option<Said> {
    let line = match event {
        Event::Rejected { source, line, text, reason } => {
            let place = if *line == 0 { String::new() } else { format!(":{line}") };
            let text = if text.is_empty() { String::new() } else { format!(": {}", clipped(&clean(text), QUOTED)) };
            Said::Problem(format!("rejected: {}{place}: {}{text}", clean(source), clean(reason)))
        }
        Event::Failed { url, reason } => Said::Problem(format!("failed: {}: {}", clean(url), clean(reason))),
        Event::Warning(text) => Said::Problem(format!("warning: {}", clean(text))),
        Event::Refused { url, by, rule } => {
            let rule = if rule.is_empty() { String::new() } else { format!(": {}", clean(rule)) };
            Said::News(format!("refused by {by}: {}{rule}", clean(url)))
        }
        Event::Recovered { captures, cut } => Said::News(format!(
            "an earlier run was killed: {} taken up, {} of an unfinished one cut off",
            counted(*captures as u64, "capture"),
            bytes(*cut)
        )),
        Event::Started { seeds, hosts, documents, left } => {
            let mut text = format!("{} on {}", counted(*seeds as u64, "seed"), counted(*hosts as u64, "host"));
            if *documents > 0 {
                let _ = write!(text, ", {} of your own", counted(*documents as u64, "document"));
            }
            if *left > 0 {
                let _ = write!(text, "; {} left from an earlier run", counted(*left, "URL"));
            }
            Said::News(text)
        }
        Event::Fetched { .. } | Event::Committed { .. } | Event::Progress { .. } | Event::Decided(_) => return None,
    };
    Some(line)
}

/// What the events add up to.
#[derive(Default)]
struct Tally {
    settled: u64,
    /// URLs that wait or are in the air.
    ahead: u64,
    received: Received,
    failed: u64,
    refused: u64,
    /// Where `received` stood, about once a second; the first is the oldest the window needs.
    samples: VecDeque<(Duration, Received)>,
}

/// Answers and their bytes so far.
#[derive(Clone, Copy, Default)]
struct Received {
    answers: u64,
    bytes: u64,
}

impl Tally {
    fn note(&mut self, event: &Event, elapsed: Duration) {
        match event {
            Event::Fetched { bytes, .. } => {
                self.received.answers += 1;
                self.received.bytes += bytes;
            }
            Event::Progress { settled, waiting, in_air, .. } => {
                self.settled = *settled;
                self.ahead = (*waiting + *in_air) as u64;
            }
            Event::Failed { .. } => self.failed += 1,
            Event::Refused { .. } => self.refused += 1,
            Event::Rejected { .. }
            | Event::Recovered { .. }
            | Event::Started { .. }
            | Event::Committed { .. }
            | Event::Decided(_)
            | Event::Warning(_) => {}
        }
        let last = self.samples.back().map_or(Duration::ZERO, |(at, _)| *at);
        if elapsed.saturating_sub(last) >= Duration::from_secs(1) {
            self.samples.push_back((elapsed, self.received));
        }
        while self.samples.get(1).is_some_and(|(at, _)| elapsed.saturating_sub(*at) >= WINDOW) {
            self.samples.pop_front();
        }
    }

    fn known(&self) -> u64 {
        self.settled + self.ahead
    }

    /// Answers and bytes a second, lately; none before there is a second to speak of.
    fn rates(&self, elapsed: Duration) -> Option<(f64, f64)> {
        // Until the window is full it begins with the run.
        let full = self.samples.front().filter(|(at, _)| elapsed.saturating_sub(*at) >= WINDOW);
        let (from, before) = full.copied().unwrap_or_default();
        let seconds = elapsed.saturating_sub(from).as_secs_f64();
        let rate = |now: u64, then: u64| (now - then) as f64 / seconds;
        let Received { answers, bytes } = self.received;
        (seconds >= 1.0).then(|| (rate(answers, before.answers), rate(bytes, before.bytes)))
    }

    /// How long it will take if nothing new is found and it goes on as lately.
    fn left(&self, elapsed: Duration) -> Option<Duration> {
        let (answers, _) = self.rates(elapsed).filter(|_| elapsed >= SETTLING)?;
        let seconds = self.ahead as f64 / answers;
        (self.ahead > 0).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
    }

    /// How far it is, on one line. A narrow terminal cuts its end off, so the most wanted comes first.
    fn facts(&self, elapsed: Duration) -> String {
        let mut text = format!("{} of {} settled", grouped(self.settled), grouped(self.known()));
        if let Some(left) = self.left(elapsed) {
            let _ = write!(text, ", about {} left", roughly(left));
        }
        if let Some((answers, size)) = self.rates(elapsed) {
            let _ = write!(text, ", {} requests/s, {}/s", rate(answers), bytes(size as u64));
        }
        let _ = write!(text, ", {} received", bytes(self.received.bytes));
        if self.failed > 0 {
            let _ = write!(text, ", {} failed", grouped(self.failed));
        }
        if self.refused > 0 {
            let _ = write!(text, ", {} refused", grouped(self.refused));
        }
        text
    }
}

/// A rate with two digits or so.
fn rate(per_second: f64) -> String {
    match per_second {
        10.0.. => grouped(per_second as u64),
        1.0.. => format!("{per_second:.1}"),
        _ => format!("{per_second:.2}"),
    }
}

/// The overall bar, and a line for each active host below it.
struct Bars {
    multi: MultiProgress,
    overall: ProgressBar,
    heard: HashMap<String, Heard>,
    lines: BTreeMap<String, ProgressBar>,
    host_style: ProgressStyle,
    shown: Option<Duration>,
}

/// What is known of a host.
#[derive(Default)]
struct Heard {
    requests: u64,
    last: String,
    at: Duration,
    /// Something was heard since it was shown.
    is_new: bool,
}

impl Bars {
    fn new(target: ProgressDrawTarget) -> Bars {
        let multi = MultiProgress::with_draw_target(target);
        let overall = multi.add(ProgressBar::new(0));
        overall.set_style(
            template("{bar:12} {took:>11}  {wide_msg}")
                .with_key("took", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                    let _ = out.write_str(&duration(state.elapsed()));
                })
                .progress_chars("━╸─"),
        );
        // The time goes on while hosts keep us waiting.
        overall.enable_steady_tick(Duration::from_secs(1));
        let host_style = template("  {spinner} {wide_msg}").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ");
        Bars { multi, overall, heard: HashMap::new(), lines: BTreeMap::new(), host_style, shown: None }
    }

    fn note(&mut self, event: &Event, elapsed: Duration) {
        let Event::Fetched { host, status, fault, .. } = event else { return };
        let heard = self.heard.entry(host.clone()).or_default();
        heard.requests += 1;
        heard.last = last_answer(*status, fault.as_deref());
        heard.at = elapsed;
        heard.is_new = true;
    }

    fn show(&mut self, tally: &Tally, elapsed: Duration) {
        if self.shown.is_some_and(|shown| elapsed.saturating_sub(shown) < REDRAW) {
            return;
        }
        self.shown = Some(elapsed);
        self.overall.set_length(tally.known());
        self.overall.set_position(tally.settled);
        let is_active = |heard: &Heard| elapsed.saturating_sub(heard.at) < ACTIVE;
        let active = self.heard.values().filter(|heard| is_active(heard)).count();
        let each = active <= HOST_LINES;
        let on_hosts = if each { String::new() } else { format!(", {active} hosts active") };
        self.overall.set_message(tally.facts(elapsed) + &on_hosts);
        self.lines.retain(|host, line| {
            let stays = each && self.heard.get(host).is_some_and(is_active);
            if !stays {
                line.finish_and_clear();
                self.multi.remove(line);
            }
            stays
        });
        for (host, heard) in self.heard.iter_mut().filter(|(_, heard)| each && heard.is_new && is_active(heard)) {
            heard.is_new = false;
            let line = self
                .lines
                .entry(host.clone())
                .or_insert_with(|| self.multi.add(ProgressBar::new_spinner().with_style(self.host_style.clone())));
            line.set_message(format!("{}  {}, {}", clean(host), counted(heard.requests, "request"), heard.last));
            // It turns when the host has answered, not by itself.
            line.tick();
        }
    }

    fn clear(&mut self) {
        for line in std::mem::take(&mut self.lines).into_values() {
            line.finish_and_clear();
            self.multi.remove(&line);
        }
        self.overall.finish_and_clear();
    }
}

/// The status, what went wrong, or both.
fn last_answer(status: Option<u16>, fault: Option<&str>) -> String {
    match (status, fault) {
        (Some(status), Some(fault)) => format!("{status}, {}", clean(fault)),
        (Some(status), None) => status.to_string(),
        (None, Some(fault)) => clean(fault).into_owned(),
        (None, None) => "no answer".to_owned(),
    }
}

fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).expect("the template is a constant of this file, and a test shows it")
}

#[cfg(test)]
pub(super) mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;
    use crate::web::candidate::Role;

    /// Keeps what was written, both for writers and for bars.
    #[derive(Clone, Debug, Default)]
    pub(in crate::report) struct Paper(Arc<Mutex<String>>);

    impl Paper {
        pub(in crate::report) fn text(&self) -> String {
            self.0.lock().unwrap().clone()
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push_str(std::str::from_utf8(bytes).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            100
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            TermLike::write_str(self, &format!("{text}\n"))
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn fetched(host: &str, bytes: u64) -> Event {
        Event::Fetched {
            url: format!("https://{host}/"),
            host: host.to_owned(),
            role: Role::Page,
            status: Some(200),
            fault: None,
            bytes,
        }
    }

    fn at(settled: u64, waiting: usize) -> Event {
        Event::Progress { settled, waiting, in_air: 1, bytes: 0 }
    }

    fn failed() -> Event {
        Event::Failed { url: "https://a.example/\u{1b}[2J".to_owned(), reason: "stalled".to_owned() }
    }

    fn refused() -> Event {
        let rule = "Disallow: /x (robots.txt line 3)".to_owned();
        Event::Refused { url: "https://a.example/x".to_owned(), by: "robots", rule }
    }

    fn rejected(line: u32, text: &str) -> Event {
        Event::Rejected {
            source: "seeds/list.txt".to_owned(),
            line,
            text: text.to_owned(),
            reason: "not a URL".to_owned(),
        }
    }

    fn lines(style: fn(Box<dyn Write + Send>) -> Style, events: &[(u64, Event)]) -> String {
        let paper = Paper::default();
        let mut progress = Progress::new(style(Box::new(paper.clone())));
        for (seconds, event) in events {
            progress.hear_after(event, Duration::from_secs(*seconds));
        }
        progress.finish();
        paper.text()
    }

    #[test]
    fn a_log_has_the_problems_and_a_line_a_minute() {
        let mut events = vec![(0, Event::Started { seeds: 2, hosts: 1, documents: 0, left: 0 })];
        events.extend((1..=70).flat_map(|second| [(second, fetched("a.example", 2000)), (second, at(second, 100))]));
        events.extend([(71, failed()), (72, refused()), (73, at(70, 0))]);
        let expected = "\
            2 seeds on 1 host\n\
            1 min 0 s: 59 of 160 settled, about 1 min left, 1.0 requests/s, 2.0 kB/s, 120 kB received\n\
            failed: https://a.example/�[2J: stalled\n\
            refused by robots: https://a.example/x: Disallow: /x (robots.txt line 3)\n";
        assert_eq!(lines(Style::Lines, &events), expected);
    }

    #[test]
    fn quiet_is_silent_when_all_is_well() {
        let well = [
            (0, Event::Started { seeds: 1, hosts: 1, documents: 0, left: 0 }),
            (1, fetched("a.example", 1)),
            (2, refused()),
            (200, at(1, 0)),
        ];
        assert_eq!(lines(Style::Quiet, &well), "");
        let ill = [(0, failed()), (1, Event::Warning("no contact is set".to_owned())), (1, rejected(0, ""))];
        let expected = "failed: https://a.example/�[2J: stalled\nwarning: no contact is set\n\
            rejected: seeds/list.txt: not a URL\n";
        assert_eq!(lines(Style::Quiet, &ill), expected);
    }

    #[test]
    fn events_are_told_in_a_line() {
        let check = |event: &Event, expected: &str| match said(event) {
            Some(Said::News(text) | Said::Problem(text)) => assert_eq!(text, expected),
            None => assert_eq!("", expected),
        };
        check(&rejected(3, "a b"), "rejected: seeds/list.txt:3: not a URL: a b");
        let long = format!("rejected: seeds/list.txt:3: not a URL: {}…", "x".repeat(119));
        check(&rejected(3, &"x".repeat(500)), &long);
        check(
            &Event::Recovered { captures: 1, cut: 1200 },
            "an earlier run was killed: 1 capture taken up, 1.2 kB of an unfinished one cut off",
        );
        check(
            &Event::Started { seeds: 1, hosts: 2, documents: 3, left: 1 },
            "1 seed on 2 hosts, 3 documents of your own; 1 URL left from an earlier run",
        );
        check(&Event::Committed { captures: 1 }, "");
    }

    #[test]
    fn rates_are_of_late_and_promise_nothing_early() {
        let mut tally = Tally::default();
        let check = |tally: &Tally, seconds: u64, expected: &str| {
            assert_eq!(tally.facts(Duration::from_secs(seconds)), expected);
        };
        check(&tally, 0, "0 of 0 settled, 0 bytes received");
        for second in 1..=5 {
            tally.note(&fetched("a.example", 100), Duration::from_secs(second));
        }
        tally.note(&at(5, 2999), Duration::from_secs(5));
        check(&tally, 5, "5 of 3,005 settled, 1.0 requests/s, 100 bytes/s, 500 bytes received");
        tally.note(&at(5, 2999), Duration::from_secs(20));
        check(&tally, 20, "5 of 3,005 settled, about 3 h left, 0.25 requests/s, 25 bytes/s, 500 bytes received");
        // A stall is seen: the window has left the five answers behind.
        tally.note(&at(5, 2999), Duration::from_secs(60));
        check(&tally, 60, "5 of 3,005 settled, 0.00 requests/s, 0 bytes/s, 500 bytes received");
    }

    #[test]
    fn bars_show_hosts_and_print_problems_above() {
        let paper = Paper::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(paper.clone()), 255);
        let mut progress = Progress::new(Style::Bars(target));
        progress.hear_after(&at(1, 2), Duration::from_secs(1));
        progress.hear_after(&fetched("news.example", 10), Duration::from_secs(2));
        progress.hear_after(&failed(), Duration::from_secs(3));
        let Screen::Bars(bars) = &progress.screen else { panic!("these are bars") };
        assert_eq!(bars.overall.message(), "1 of 4 settled, 0.33 requests/s, 3 bytes/s, 10 bytes received, 1 failed");
        assert_eq!((bars.overall.position(), bars.overall.length()), (1, Some(4)));
        assert_eq!(bars.lines["news.example"].message(), "news.example  1 request, 200");
        let text = paper.text();
        assert!(text.contains("failed: https://a.example/�[2J: stalled"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        progress.finish();
        let Screen::Bars(bars) = &progress.screen else { panic!("these are bars") };
        assert!(bars.overall.is_finished() && bars.lines.is_empty());
    }

    #[test]
    fn many_hosts_are_counted_and_idle_ones_leave() {
        let mut progress = Progress::new(Style::Bars(ProgressDrawTarget::hidden()));
        let mut check = |second: u64, hosts: &[&str], lines: usize, counted: bool| {
            hosts.iter().for_each(|host| progress.hear_after(&fetched(host, 1), Duration::from_secs(second)));
            progress.hear_after(&at(1, 1), Duration::from_secs(second + 1));
            let Screen::Bars(bars) = &progress.screen else { panic!("these are bars") };
            assert_eq!(bars.lines.len(), lines, "at {second}");
            assert_eq!(bars.overall.message().contains("hosts active"), counted, "at {second}");
        };
        check(1, &["a", "b", "c", "d", "e", "f"], 6, false);
        check(10, &["g"], 0, true);
        check(65, &["a"], 2, false);
        check(200, &[], 0, false);
    }

    #[test]
    fn the_last_answer_is_named() {
        let check = |status: Option<u16>, fault: Option<&str>, expected: &str| {
            assert_eq!(last_answer(status, fault), expected);
        };
        check(Some(404), None, "404");
        check(Some(200), Some("cut off"), "200, cut off");
        check(None, Some("cannot connect (refused)"), "cannot connect (refused)");
        check(None, None, "no answer");
    }
}
