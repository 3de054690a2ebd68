//! The README says what the program does: its help block is the program's help, its commands work as shown.

use std::path::Path;

use crate::lantern::pressmark;

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

fn help(arguments: &[&str]) -> String {
    String::from_utf8(pressmark().args(arguments).output().unwrap().stdout).unwrap()
}

#[test]
fn the_help_in_the_readme_is_the_program_s() {
    let (readme, help) = (readme(), help(&["--help"]));
    let block = readme.split("$ pressmark --help\n").nth(1).unwrap().split("\n```").next().unwrap();
    assert_eq!(block.trim_end(), help.trim_end(), "the README's block should read:\n{help}");
}

#[test]
fn every_option_in_the_readme_exists() {
    let overview = help(&["--help"]);
    let commands = overview.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let known: String = commands
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next().filter(|command| !command.is_empty()))
        .map(|command| help(&[command, "--help"]))
        .collect();
    for word in readme().split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
        if word.starts_with("--") && word.len() > 2 && !matches!(word, "--help" | "--version") {
            assert!(known.contains(word), "{word} is no option");
        }
    }
}

#[test]
fn the_manual_and_the_completions_are_printed() {
    assert!(help(&["man"]).contains(".SH NAME"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(help(&["completions", shell]).contains("pressmark"), "{shell}");
    }
}

#[test]
fn bad_usage_ends_with_2_and_a_sentence() {
    for arguments in [
        &["crawl", "--delay", "soon"][..],
        &["crawl", "no/such/file.txt"],
        &["crawl", "--config", "no-such.toml"],
        &["query", "--archive", "/nonexistent"],
        &["flay"],
    ] {
        let output = pressmark().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
    let output = pressmark().args(["status", "--archive", "/nonexistent"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no archive at /nonexistent"));
}
