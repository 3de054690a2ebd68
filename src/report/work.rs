//! A long piece of work as it goes: a bar on a terminal, a line a minute in a log, nothing when that is wanted.

use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::progress::Style;
use super::words::{bytes, clean, duration};

/// In a log, how far it is stands once in this time.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// The listener of one piece of work that is measured in bytes; many threads may tell it. It never fails the work:
/// what cannot be written is dropped.
pub struct Work {
    began: Instant,
    screen: Screen,
}

enum Screen {
    Bar(ProgressBar),
    Lines(Mutex<Lines>),
    Quiet,
}

struct Lines {
    out: Box<dyn Write + Send>,
    next: Duration,
}

impl Work {
    /// A listener for work that begins now.
    pub fn new(style: Style) -> Work {
        let screen = match style {
            Style::Bars(target) => {
                let style = ProgressStyle::with_template("{bar:12} {percent:>3} % of {total_bytes}  {wide_msg}");
                let style = style.expect("the template is a constant of this file, and a test shows it");
                let bar = ProgressBar::with_draw_target(Some(0), target);
                bar.set_style(style.progress_chars("━╸─"));
                Screen::Bar(bar)
            }
            Style::Lines(out) => Screen::Lines(Mutex::new(Lines { out, next: LINE_EVERY })),
            Style::Quiet(_) => Screen::Quiet,
        };
        Work { began: Instant::now(), screen }
    }

    /// The work is at `what`, with `done` of `total` bytes behind it.
    pub fn at(&self, what: &str, done: u64, total: u64) {
        self.at_after(what, done, total, self.began.elapsed());
    }

    /// It is over, one way or the other: the bar goes.
    pub fn finish(&self) {
        if let Screen::Bar(bar) = &self.screen {
            bar.finish_and_clear();
        }
    }

    fn at_after(&self, what: &str, done: u64, total: u64, elapsed: Duration) {
        match &self.screen {
            Screen::Bar(bar) => {
                if bar.length() != Some(total) {
                    bar.set_length(total);
                }
                if bar.message() != what {
                    bar.set_message(clean(what).into_owned());
                }
                bar.set_position(done);
            }
            Screen::Lines(lines) => {
                // A thread that panicked while it wrote a line has harmed nothing but that line.
                let mut lines = lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if elapsed >= lines.next {
                    let (took, done, total) = (duration(elapsed), bytes(done), bytes(total));
                    let _ = writeln!(lines.out, "{took}: {done} of {total}, at {}", clean(what));
                    lines.next = elapsed + LINE_EVERY;
                }
            }
            Screen::Quiet => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressDrawTarget;

    use super::super::progress::tests::Paper;
    use super::*;

    #[test]
    fn a_log_gets_a_line_a_minute() {
        let paper = Paper::default();
        let work = Work::new(Style::Lines(Box::new(paper.clone())));
        for seconds in [1, 59, 60, 61, 119, 121] {
            work.at_after("a\u{1b}.warc.gz", 1_000_000 * seconds, 500_000_000, Duration::from_secs(seconds));
        }
        let text = paper.text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains("60.0 MB of 500") && text.contains("121 MB of"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn a_terminal_gets_a_bar() {
        let paper = Paper::default();
        let work = Work::new(Style::Bars(ProgressDrawTarget::term_like(Box::new(paper.clone()))));
        work.at("a.warc.gz", 250, 1000);
        let text = paper.text();
        assert!(text.contains("25 % of") && text.contains("a.warc.gz"), "{text}");
        work.finish();
    }
}
