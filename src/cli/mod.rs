//! The command line: what was typed becomes a plan, what happened becomes an exit code.
//!
//! This is the only module that reads the environment and the settings file, opens the standard streams, listens to
//! signals and ends the process. Results go to standard output, everything else to standard error.

mod args;
mod ask;
mod crawl;
mod demo;
mod dry;
mod exit;
mod export;
mod extract;
mod mend;
mod settings;
mod units;
mod upkeep;
mod verify;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::FromArgMatches;

use args::{Cli, Command};
use ask::Form;
use exit::{Exit, Outcome};
use rustix::fs::Mode;

use crate::report;
use crate::web::url::without_credentials;

/// Runs the program with the arguments and streams of this process.
pub fn main() -> ExitCode {
    forbid_others(Mode::WGRP | Mode::WOTH);
    // What a panic says may quote the web, and goes to the terminal.
    std::panic::set_hook(Box::new(|panic| say(&format!("pressmark: a bug: {panic}"))));
    let outcome = run();
    if let Err(error) = &outcome {
        say(&format!("pressmark: {}", exit::sentence(error)));
    }
    ExitCode::from(exit::code(&outcome))
}

/// Whatever the umask was, what is made from here on gives others none of this.
fn forbid_others(modes: Mode) {
    // It can be read only by setting it.
    let asked = rustix::process::umask(modes);
    rustix::process::umask(asked | modes);
}

fn run() -> Outcome {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let command = settings::command(&arguments)?;
    let matches = match command.try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        // Help and version are no errors and go to standard output.
        Err(error) => {
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            complain(&error);
            return Ok(code);
        }
    };
    let cli = Cli::from_arg_matches(&matches).map_err(|cause| exit::usage(cause.to_string()))?;
    match cli.command {
        Command::Crawl(crawl) => crawl::run(&cli.common, crawl),
        Command::Demo => demo::run(&cli.common, matches.value_source("archive")),
        Command::Status { json } => ask::status(&cli.common, json),
        Command::Query { sql, format, output } => ask::query(&cli.common, &sql, format, output.as_deref()),
        Command::Show { url, raw, wire, at } => {
            let form = if wire { Some(Form::Wire) } else { raw.then_some(Form::Raw) };
            ask::show(&cli.common, &url, form, at)
        }
        Command::Explain { urls, json, scope, pace, manners } => {
            ask::explain(&cli.common, &urls, json, &scope, crawl::politeness(&pace, &manners))
        }
        Command::Extract { files, jsonl, known } => extract::run(&files, jsonl, &known),
        Command::Verify { paths, json } => verify::run(&cli.common, &paths, json),
        Command::Export(typed) => export::run(&cli.common, *typed),
        Command::Repair { dry_run } => mend::repair(&cli.common, dry_run),
        Command::Reindex => mend::reindex(&cli.common),
        Command::Import { files } => mend::import(&cli.common, &files),
        Command::Forget { url, reason, dry_run, undo } => {
            let reason = reason.as_deref().unwrap_or_default();
            mend::forget(&cli.common, &mend::Forget { url: &url, reason, dry_run, undo })
        }
        Command::Block { url, reason, undo } => mend::block(&cli.common, &url, undo, &reason),
        Command::Completions { shell } => {
            let mut command = settings::declared();
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "pressmark", &mut script);
            print(&script)
        }
        Command::Man => {
            let mut page = Vec::new();
            let render = clap_mangen::Man::new(settings::declared()).render(&mut page);
            render.map_err(|cause| exit::failed("write the manual page", cause))?;
            print(&page)
        }
    }
}

/// Prints what clap has to say. It quotes what was typed, which may hold a login or come from anywhere.
fn complain(error: &clap::Error) {
    let text = error.render().to_string();
    let said = printable(&text);
    if said == text {
        let _ = error.print();
    } else {
        say(said.trim_end());
    }
}

/// Text for people, harmless to a terminal and without the login of any URL.
fn printable(text: &str) -> String {
    report::lines(&without_credentials(text))
}

/// A line for people. Nothing can be done about a standard error that is closed.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", printable(text));
}

/// Prints a result for people.
fn print_text(text: &str) -> Outcome {
    print(report::lines(text).as_bytes())
}

/// Prints a result for programs, on one line.
fn print_json(value: impl std::fmt::Display) -> Outcome {
    print(format!("{}\n", report::json(value)).as_bytes())
}

/// Writes a result to standard output. A reader that has gone away has had enough.
fn print(bytes: &[u8]) -> Outcome {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(cause) if cause.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(exit::failed("write to standard output", cause))
        }
        _ => Ok(Exit::Done),
    }
}

/// The width of the terminal that standard output is, if it is one.
fn output_width() -> Option<usize> {
    let out = std::io::stdout();
    let columns = rustix::termios::tcgetwinsize(&out).ok().map(|size| usize::from(size.ws_col));
    columns.filter(|columns| *columns > 0 && out.is_terminal())
}
