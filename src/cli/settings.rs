//! Flags > environment > settings file > defaults, all by one declaration.
//!
//! The settings file becomes the defaults of the declared options, so that clap itself resolves the order. Keys at the
//! top hold for every profile, a section for the profile of its name. Unknown keys are refused with their line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::{FalseyValueParser, OsStr};
use clap::{ArgAction, Command, CommandFactory};

use super::args::Cli;
use super::exit::usage;
use crate::web::url::without_credentials;

/// The command line as declared, with the environment's names, without anybody's settings.
pub(super) fn declared() -> Command {
    let named = |command: Command| {
        command.mut_args(|arg| {
            let arg = match arg.get_long() {
                Some(long) if !matches!(long, "help" | "version") => {
                    let name = format!("PRESSMARK_{}", long.replace('-', "_").to_uppercase());
                    arg.env(name).hide_env(true)
                }
                _ => arg,
            };
            if matches!(arg.get_action(), ArgAction::SetTrue) {
                arg.value_parser(FalseyValueParser::new())
            } else {
                arg
            }
        })
    };
    let mut command = named(Cli::command());
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, named);
    }
    command
}

/// The command line with the settings file's values as defaults.
///
/// # Errors
/// When the file cannot be read, is no TOML, or holds a key or value that means nothing.
pub(super) fn command(arguments: &[OsString]) -> anyhow::Result<Command> {
    let mut command = declared();
    // What is wrong with the rest is found when it is read in earnest.
    let Ok(early) = declared().ignore_errors(true).try_get_matches_from(arguments) else { return Ok(command) };
    let named = early.try_get_one::<PathBuf>("config").ok().flatten().cloned();
    let path = named.clone().unwrap_or_else(|| PathBuf::from("pressmark.toml"));
    if named.is_none() && !path.exists() {
        return Ok(command);
    }
    let text = std::fs::read_to_string(&path)
        .map_err(|cause| usage(format!("cannot read the settings file {}: {cause}", path.display())))?;
    let profile = early
        .subcommand_matches("crawl")
        .and_then(|crawl| crawl.try_get_one::<String>("profile").ok().flatten().cloned())
        .unwrap_or_else(|| "default".to_owned());
    for setting in read(&path, &text, &profile)? {
        command = setting.apply(command, &path)?;
    }
    Ok(command)
}

/// One key with its values as they would be typed.
struct Setting {
    key: String,
    line: usize,
    values: Vec<String>,
}

fn read(path: &Path, text: &str, profile: &str) -> anyhow::Result<Vec<Setting>> {
    let table: toml::Table = toml::from_str(text).map_err(|cause| {
        let line = cause.span().map_or(0, |span| line_of(text, span.start));
        usage(format!("{}, line {line}: {}", path.display(), cause.message()))
    })?;
    let mut settings = Vec::new();
    for (key, value) in &table {
        if let toml::Value::Table(section) = value {
            // Other profiles' sections are read as well, so that a mistake shows before its night.
            for (key_in, value) in section {
                let setting = Setting::new(path, text, Some(key), key_in, value)?;
                setting.check(path)?;
                if key == profile {
                    settings.push(setting);
                }
            }
        } else {
            settings.insert(0, Setting::new(path, text, None, key, value)?);
        }
    }
    Ok(settings)
}

impl Setting {
    fn new(path: &Path, text: &str, section: Option<&str>, key: &str, value: &toml::Value) -> anyhow::Result<Setting> {
        let line = find_line(text, section, key);
        let wrong = || usage(format!("{}, line {line}: «{key}» has a value of no use here", path.display()));
        let one = |value: &toml::Value| match value {
            toml::Value::String(text) => Ok(text.clone()),
            toml::Value::Integer(number) => Ok(number.to_string()),
            toml::Value::Float(number) => Ok(number.to_string()),
            toml::Value::Boolean(truth) => Ok(truth.to_string()),
            _ => Err(wrong()),
        };
        let mut values = match value {
            toml::Value::Array(values) => values.iter().map(one).collect::<Result<Vec<_>, _>>()?,
            value => vec![one(value)?],
        };
        if matches!(key, "archive" | "ca-file" | "cookies" | "seeds") {
            values = values.iter().map(|value| relative_to(path, value)).collect();
        }
        Ok(Setting { key: key.to_owned(), line, values })
    }

    /// The argument it sets, if there is one.
    fn id(&self) -> Option<String> {
        let is_it = |arg: &&clap::Arg| match arg.get_long() {
            Some(long) => long == self.key && !matches!(long, "config" | "profile" | "help" | "version" | "json"),
            None => arg.get_id() == "seeds" && self.key == "seeds",
        };
        let command = declared();
        let crawl = command.find_subcommand("crawl")?;
        let arg = crawl.get_arguments().find(is_it).or_else(|| command.get_arguments().find(is_it))?;
        Some(arg.get_id().as_str().to_owned())
    }

    fn check(&self, path: &Path) -> anyhow::Result<String> {
        let id = self.id().ok_or_else(|| {
            usage(format!("{}, line {}: there is no setting «{}»", path.display(), self.line, self.key))
        })?;
        let argument = format!("--{}", self.key);
        let mut arguments: Vec<OsString> = vec!["pressmark".into(), "crawl".into()];
        for value in &self.values {
            match (self.key.as_str(), value.as_str()) {
                ("seeds", seed) => arguments.push(seed.into()),
                (switch, truth) if is_switch(switch) => {
                    if truth == "true" {
                        arguments.push(argument.clone().into());
                    }
                }
                _ => arguments.push(format!("{argument}={value}").into()),
            }
        }
        // Without the environment's names: what is wrong there is not wrong in the file.
        match Cli::command().try_get_matches_from(arguments) {
            Ok(_) => Ok(id),
            Err(cause) => {
                let cause = cause.to_string();
                let first = cause.lines().next().unwrap_or("").trim_start_matches("error: ").to_owned();
                Err(usage(format!("{}, line {}: {first}", path.display(), self.line)))
            }
        }
    }

    /// Whether its values are nobody's business.
    fn is_secret(&self) -> bool {
        self.key == "header" || self.values.iter().any(|value| without_credentials(value) != *value)
    }

    fn apply(&self, command: Command, path: &Path) -> anyhow::Result<Command> {
        let id = self.check(path)?;
        let values: Vec<OsStr> = self.values.iter().map(|value| OsStr::from(value.clone())).collect();
        // Help shows defaults: not these, which may hold a token or a login.
        let set = |arg: clap::Arg| arg.default_values(values.clone()).hide_default_value(self.is_secret());
        let is_common = command.get_arguments().any(|arg| arg.get_id() == id.as_str());
        Ok(if is_common {
            command.mut_arg(&id, set)
        } else {
            command.mut_subcommand("crawl", |crawl| crawl.mut_arg(&id, set))
        })
    }
}

/// It stands for itself, without a value.
fn is_switch(key: &str) -> bool {
    let command = declared();
    let crawl = command.find_subcommand("crawl").into_iter().flat_map(Command::get_arguments);
    let mut all = crawl.chain(command.get_arguments());
    all.any(|arg| arg.get_long() == Some(key) && matches!(arg.get_action(), ArgAction::SetTrue))
}

/// Paths in a settings file are relative to that file; URLs and absolute paths stay.
fn relative_to(path: &Path, value: &str) -> String {
    if value == "-" || crate::web::url::WebUrl::parse(value).is_ok() || Path::new(value).is_absolute() {
        return value.to_owned();
    }
    path.parent().unwrap_or(Path::new("")).join(value).to_string_lossy().into_owned()
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset.min(text.len())].matches('\n').count() + 1
}

/// The line of a key, for a message: the first one that begins with it, in its section.
fn find_line(text: &str, section: Option<&str>, key: &str) -> usize {
    let mut current: Option<String> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            current = Some(name.trim().trim_matches('"').to_owned());
        }
        let name = line.split('=').next().unwrap_or("").trim().trim_matches('"');
        if current.as_deref() == section && name == key {
            return number;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let settings = read(Path::new("p.toml"), text, "default").and_then(|settings| {
            settings.iter().try_for_each(|setting| setting.check(Path::new("p.toml")).map(|_| ()))
        });
        settings.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn unknown_keys_and_values_are_refused_with_their_line() {
        assert_eq!(refusal("delay = \"2s\"\n[night]\nmax-pages = 5\n"), "");
        assert_eq!(refusal("\ndeley = \"2s\"\n"), "p.toml, line 2: there is no setting «deley»");
        assert!(refusal("[night]\n\ndelay = \"soon\"").starts_with("p.toml, line 3: invalid value 'soon'"));
        assert!(refusal("delay = \n").starts_with("p.toml, line 1: "));
        assert!(refusal("strict = true\nquiet = false\nresolve = [\"h.example:80:127.0.0.1\"]").is_empty());
    }

    #[test]
    fn the_declaration_is_sound() {
        declared().debug_assert();
    }
}
