//! The house rules that a machine can check, read from the sources when the test runs.
//!
//! Nothing here understands Rust: a scanner drops comments and literals, a second one joins what is left into paths,
//! and every rule is a look at those. The rules are functions over sources, so that each is also shown a source that
//! breaks it: a rule that cannot complain is no rule.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A file: its path from the root of the package, with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

/// Modules and the floor each stands on.
type Floors = BTreeMap<String, u32>;

/// Names that say nothing about what a module is for.
const EMPTY_NAMES: [&str; 10] =
    ["util", "utils", "common", "types", "models", "helper", "helpers", "misc", "manager", "managers"];

/// What only `cli` and `main.rs` may do: the last two words of a path, and what that is.
const CLI_ONLY: [(&str, &str, &str); 11] = [
    ("process", "exit", "ends the process"),
    ("process", "abort", "ends the process"),
    ("env", "var", "reads the environment"),
    ("env", "var_os", "reads the environment"),
    ("env", "vars", "reads the environment"),
    ("env", "vars_os", "reads the environment"),
    ("env", "args", "reads the command line"),
    ("env", "args_os", "reads the command line"),
    ("io", "stdin", "opens a standard stream"),
    ("io", "stdout", "opens a standard stream"),
    ("io", "stderr", "opens a standard stream"),
];

// ---------------------------------------------------------------------------------------------- the real sources

#[test]
fn every_module_stands_on_a_floor() {
    let sources = sources_under("src");
    assert_none(&misplaced(&sources, &the_floors(&sources)));
}

#[test]
fn no_module_looks_up() {
    let sources = sources_under("src");
    let floors = the_floors(&sources);
    assert_none(&each(&sources, |source| upward_uses(source, &floors)));
}

#[test]
fn each_part_keeps_to_its_trade() {
    let sources = sources_under("src");
    assert_none(&each(&sources, |source| [wrong_http(source), wrong_streams(source)].concat()));
}

#[test]
fn nothing_is_left_half_done() {
    let sources: Vec<Source> = ["src", "tests", "benches"].into_iter().flat_map(sources_under).collect();
    assert_none(&each(&sources, |source| [unfinished(source), empty_names(source)].concat()));
}

#[test]
fn every_test_file_is_run() {
    assert_none(&unregistered(&sources_under("tests/it")));
}

fn the_floors(sources: &[Source]) -> Floors {
    let lib = sources.iter().find(|source| source.path == "src/lib.rs").expect("src/lib.rs is there");
    floors(&lib.text).unwrap_or_else(|complaint| panic!("src/lib.rs: {complaint}"))
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn each(sources: &[Source], rule: impl Fn(&Source) -> Vec<String>) -> Vec<String> {
    sources.iter().flat_map(rule).collect()
}

/// Every `.rs` file below `folder`, in the order of their paths.
fn sources_under(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut sources) = (vec![root.join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("a folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                let path = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
                sources.push(Source { path, text });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

// ------------------------------------------------------------------------------------------------------ the rules

/// Reads the table of floors: the first text block under the heading `# Floors` of the crate's documentation. A line
/// is a floor's number (left out when it is that of the line before), a module, and what the module is for.
fn floors(lib: &str) -> Result<Floors, String> {
    let doc =
        lib.lines().filter_map(|line| line.strip_prefix("//!")).map(|line| line.strip_prefix(' ').unwrap_or(line));
    let section = doc.skip_while(|line| line.trim() != "# Floors").skip(1);
    let block = section.skip_while(|line| line.trim() != "```text").skip(1).take_while(|line| line.trim() != "```");
    let (mut floors, mut number) = (Floors::new(), None);
    for line in block {
        let mut words = line.split_whitespace().peekable();
        if let Some(floor) = words.peek().and_then(|word| word.parse().ok()) {
            number = Some(floor);
            words.next();
        }
        let Some(module) = words.next() else { continue };
        let floor = number.ok_or_else(|| format!("the floor of `{module}` is not said"))?;
        if floors.insert(module.to_owned(), floor).is_some() {
            return Err(format!("`{module}` stands on two floors"));
        }
    }
    if floors.is_empty() { Err("there is no table of floors under `# Floors`".to_owned()) } else { Ok(floors) }
}

/// Modules on no floor, and floors of modules that are not there.
fn misplaced(sources: &[Source], floors: &Floors) -> Vec<String> {
    let modules: BTreeSet<&str> = sources.iter().filter_map(|source| module_of(&source.path)).collect();
    let homeless = modules.iter().filter(|module| !floors.contains_key(**module));
    let missing = floors.keys().filter(|module| !modules.contains(module.as_str()));
    homeless
        .map(|module| format!("src/{module}: stands on no floor of the table in src/lib.rs"))
        .chain(missing.map(|module| format!("src/lib.rs: the table of floors names `{module}`, which is not there")))
        .collect()
}

/// Uses of modules on the same floor or above.
fn upward_uses(source: &Source, floors: &Floors) -> Vec<String> {
    let Source { path: file, text } = source;
    if file == "src/lib.rs" {
        // A name given to a module's content at the root would be seen from below and above alike.
        let paths = paths(text).into_iter().filter(|path| path.words[0] == "use");
        return paths.map(|path| format!("{file}:{}: the root of the crate re-exports nothing", path.line)).collect();
    }
    // The binary stands on top of everything.
    let (own, floor) = match module_of(file) {
        None => ("main", u32::MAX),
        Some(module) => (module, floors.get(module).copied().unwrap_or(u32::MAX)),
    };
    let mut complaints = Vec::new();
    for (line, used) in roots(file, text) {
        let complaint = match floors.get(&used) {
            _ if used == own => continue,
            Some(other) if *other >= floor => format!("{own} (floor {floor}) looks up at {used} (floor {other})"),
            Some(_) if own == "replay" && used == "wire" => {
                "replay uses wire, and nothing replayed may reach the network".to_owned()
            }
            Some(_) => continue,
            None => format!("`{used}` at the root of the crate is no module on a floor"),
        };
        complaints.push(format!("{file}:{line}: {complaint}"));
    }
    complaints
}

/// The HTTP client is one floor's business.
fn wrong_http(source: &Source) -> Vec<String> {
    let Source { path: file, text } = source;
    let mine = module_of(file) == Some("fetch");
    let words = tokens(text).into_iter().filter(|token| !mine && token.text == "reqwest");
    words.map(|token| format!("{file}:{}: reqwest is named outside src/fetch", token.line)).collect()
}

/// Only the command line ends the process, reads the environment, opens the standard streams; tests may print.
fn wrong_streams(source: &Source) -> Vec<String> {
    let Source { path: file, text } = source;
    if matches!(module_of(file), None | Some("cli")) {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for path in paths(text).iter().filter(|path| !path.in_tests) {
        for pair in path.words.windows(2) {
            if let Some((.., what)) = CLI_ONLY.iter().find(|(a, b, _)| [a, b] == [&pair[0], &pair[1]]) {
                complaints.push(format!("{file}:{}: {}::{} {what}; that is for cli", path.line, pair[0], pair[1]));
            }
        }
        let last = path.words.last().map_or("", String::as_str);
        if path.is_macro && matches!(last, "print" | "println" | "eprint" | "eprintln") {
            complaints.push(format!("{file}:{}: {last}! opens a standard stream; that is for cli", path.line));
        }
    }
    complaints
}

/// Placeholders, tests that never run, lints silenced without a reason.
fn unfinished(source: &Source) -> Vec<String> {
    let Source { path: file, text } = source;
    let tokens = tokens(text);
    let mut complaints = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let before: Vec<&str> = tokens[i.saturating_sub(3)..i].iter().map(|token| token.text.as_str()).collect();
        let attribute = matches!(before[..], [.., "#", "["] | [.., "#", "!", "["]);
        let next = tokens.get(i + 1).map_or("", |token| token.text.as_str());
        let wrong = match token.text.as_str() {
            "todo" | "unimplemented" | "dbg" if next == "!" => "is a placeholder",
            "ignore" if attribute => "hides a test: assert today's wrong result and say so",
            "allow" if attribute => "silences a lint without a reason: use #[expect(…, reason = \"…\")]",
            "path" if attribute => "hides where a module stands",
            _ => continue,
        };
        complaints.push(format!("{file}:{}: {} {wrong}", token.line, token.text));
    }
    complaints
}

/// Modules named after nothing.
fn empty_names(source: &Source) -> Vec<String> {
    let Source { path: file, text } = source;
    let parts = file.split('/').map(|part| (1, part.strip_suffix(".rs").unwrap_or(part).to_owned()));
    let tokens = tokens(text);
    let inner = tokens.windows(2).filter(|pair| pair[0].text == "mod").map(|pair| (pair[1].line, pair[1].text.clone()));
    parts
        .chain(inner)
        .filter(|(_, name)| EMPTY_NAMES.contains(&name.as_str()))
        .map(|(line, name)| format!("{file}:{line}: a module named `{name}` says nothing of what it is for"))
        .collect()
}

/// Files in `tests/it` that `main.rs` does not name, which Cargo would silently not build.
fn unregistered(sources: &[Source]) -> Vec<String> {
    let main = sources.iter().find(|source| source.path == "tests/it/main.rs").map_or("", |source| &source.text);
    let tokens = tokens(main);
    let named: BTreeSet<&str> =
        tokens.windows(2).filter(|pair| pair[0].text == "mod").map(|pair| pair[1].text.as_str()).collect();
    let files = sources.iter().filter_map(|source| {
        let name = source.path.strip_prefix("tests/it/")?.split('/').next()?;
        Some((source, name.strip_suffix(".rs").unwrap_or(name)))
    });
    files
        .filter(|(_, name)| *name != "main" && !named.contains(name))
        .map(|(source, _)| format!("{}: tests/it/main.rs does not name it, so it never runs", source.path))
        .collect()
}

/// The top-level module a file of `src` belongs to; none for `lib.rs`, `main.rs` and files elsewhere.
fn module_of(path: &str) -> Option<&str> {
    let first = path.strip_prefix("src/")?.split('/').next()?;
    let module = first.strip_suffix(".rs").unwrap_or(first);
    Some(module).filter(|_| !matches!(first, "lib.rs" | "main.rs"))
}

// --------------------------------------------------------------------------------------------------- the scanners

/// A word or a sign of code.
struct Token {
    line: usize,
    text: String,
}

/// A path as written, `use` groups multiplied out: `use a::{b, c::d}` gives `use`, `a::b` and `a::c::d`.
struct PathUse {
    line: usize,
    words: Vec<String>,
    is_macro: bool,
    in_tests: bool,
    /// How many modules deep in the file it stands.
    depth: usize,
}

/// The names at the root of the crate that a file reaches for, through `crate::`, the crate's own name or `super::`.
fn roots(file: &str, text: &str) -> Vec<(usize, String)> {
    let below = file.strip_prefix("src/").unwrap_or(file);
    let depth_of_file = match below {
        "lib.rs" | "main.rs" => 0,
        _ => below.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count(),
    };
    let mut found = Vec::new();
    for path in paths(text) {
        let depth = depth_of_file + path.depth;
        let supers = path.words.iter().filter(|word| *word == "super").count();
        let rest = path.words.iter().find(|word| !matches!(word.as_str(), "super" | "self" | "crate" | "pressmark"));
        let from_root = match path.words[0].as_str() {
            "crate" | "pressmark" if path.words.len() > 1 => true,
            "self" | "super" => supers > 0 && supers == depth,
            _ => false,
        };
        if from_root {
            found.push((path.line, rest.cloned().unwrap_or_else(|| path.words.join("::"))));
        }
    }
    found.dedup();
    found
}

fn paths(text: &str) -> Vec<PathUse> {
    let tokens = tokens(text);
    let text_at = |i: usize| tokens.get(i).map_or("", |token: &Token| token.text.as_str());
    let mut found: Vec<PathUse> = Vec::new();
    // For each open brace: is it a module's, is it a test module's.
    let mut braces: Vec<(bool, bool)> = Vec::new();
    let (mut opens_module, mut i) = (false, 0);
    while i < tokens.len() {
        let in_tests = braces.iter().any(|(_, tests)| *tests);
        match text_at(i) {
            "{" => {
                // `#[cfg(test)] mod NAME {`
                let tests =
                    opens_module && i >= 9 && (i - 9..i - 2).map(text_at).eq(["#", "[", "cfg", "(", "test", ")", "]"]);
                braces.push((opens_module, tests));
                opens_module = false;
                i += 1;
            }
            "}" => {
                braces.pop();
                i += 1;
            }
            "mod" => {
                opens_module = text_at(i + 2) == "{";
                i += 2;
            }
            word if is_word(word) => {
                let start = found.len();
                let next = read_path(&tokens, i, &mut Vec::new(), &mut found);
                for path in &mut found[start..] {
                    path.depth = braces.iter().filter(|(module, _)| *module).count();
                    path.in_tests = in_tests;
                    path.is_macro = text_at(next) == "!";
                }
                i = next;
            }
            _ => i += 1,
        }
    }
    found
}

/// Reads the path that begins at token `i` and follows `before`; returns the token after it.
fn read_path(tokens: &[Token], mut i: usize, before: &mut Vec<String>, found: &mut Vec<PathUse>) -> usize {
    let text_at = |i: usize| tokens.get(i).map_or("", |token: &Token| token.text.as_str());
    let (line, kept) = (tokens[i].line, before.len());
    loop {
        match text_at(i) {
            "{" if !before.is_empty() => {
                i += 1;
                while !matches!(text_at(i), "}" | "") {
                    let starts = is_word(text_at(i)) || matches!(text_at(i), "*" | "{");
                    i = if starts { read_path(tokens, i, before, found) } else { i + 1 };
                    while !matches!(text_at(i), "," | "}" | "") {
                        i += 1; // `as NAME`
                    }
                    i += usize::from(text_at(i) == ",");
                }
                before.truncate(kept);
                return i + 1;
            }
            word => before.push(word.to_owned()),
        }
        let more = text_at(i + 1) == "::" && (is_word(text_at(i + 2)) || matches!(text_at(i + 2), "*" | "{"));
        if !more {
            break;
        }
        i += 2;
    }
    let words = before.clone();
    before.truncate(kept);
    found.push(PathUse { line, words, is_macro: false, in_tests: false, depth: 0 });
    i + 1
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The words and signs of Rust code, without comments and without string and character literals.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut tokens, mut line, mut i) = (Vec::new(), 1, 0);
    while i < chars.len() {
        let start = i;
        match at(i) {
            '/' if at(i + 1) == '/' => i = position(&chars, i, |c| c == '\n'),
            '/' if at(i + 1) == '*' => i = after_block_comment(&chars, i),
            '"' => i = after_string(&chars, i),
            // A character, or a lifetime, which is dropped as well.
            '\'' if at(i + 1) == '\\' => i = position(&chars, i + 3, |c| c == '\'') + 1,
            '\'' if at(i + 2) == '\'' => i += 3,
            '\'' => i = position(&chars, i + 1, |c| !c.is_alphanumeric() && c != '_'),
            c if c.is_alphanumeric() || c == '_' => {
                i = position(&chars, i, |c| !c.is_alphanumeric() && c != '_');
                let word: String = chars[start..i].iter().collect();
                let hashes = position(&chars, i, |c| c != '#') - i;
                match word.as_str() {
                    "r" | "br" | "cr" if at(i + hashes) == '"' => i = after_raw_string(&chars, i + hashes, hashes),
                    "b" | "c" if at(i) == '"' => i = after_string(&chars, i),
                    "r" if hashes == 1 => i += 1, // r#type: the word follows
                    _ => tokens.push(Token { line, text: word }),
                }
            }
            ':' if at(i + 1) == ':' => {
                tokens.push(Token { line, text: "::".to_owned() });
                i += 2;
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push(Token { line, text: c.to_string() });
                }
                i += 1;
            }
        }
        line += chars[start..i.min(chars.len())].iter().filter(|c| **c == '\n').count();
    }
    tokens
}

fn position(chars: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    (from..chars.len()).find(|i| wanted(chars[*i])).unwrap_or(chars.len())
}

fn after_block_comment(chars: &[char], start: usize) -> usize {
    let (mut depth, mut i) = (0, start);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                i += 1;
                continue;
            }
        }
        i += 2;
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn after_string(chars: &[char], quote: usize) -> usize {
    let mut i = quote + 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn after_raw_string(chars: &[char], quote: usize, hashes: usize) -> usize {
    let ends = |i: &usize| chars[*i] == '"' && (1..=hashes).all(|n| chars.get(i + n) == Some(&'#'));
    (quote + 1..chars.len()).find(ends).map_or(chars.len(), |i| i + 1 + hashes)
}

// ------------------------------------------------------------------------------------------- the rules complain

#[cfg(test)]
mod complaints {
    use super::*;

    const LIB: &str = "//! A crawler.\n//!\n//! ```text\n//! 9 not this\n//! ```\n//!\n//! # Floors\n//!\n//! ```text\n\
        //! 3  cli    the top\n//! 2  store  rows\n//!    wire   the door\n//! 1  web\n//! ```\npub mod web;\n";

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    fn looks_up(path: &str, text: &str) -> Vec<String> {
        upward_uses(&source(path, text), &floors(LIB).expect("the table can be read"))
    }

    #[test]
    fn the_table_of_floors_is_read() {
        let floors = floors(LIB).expect("the table can be read");
        let expected = [("cli", 3), ("store", 2), ("web", 1), ("wire", 2)];
        assert!(floors.iter().map(|(module, floor)| (module.as_str(), *floor)).eq(expected), "{floors:?}");
        assert!(super::floors("//! nothing").is_err());
        assert!(super::floors("//! # Floors\n//! ```text\n//! web\n//! ```").is_err());
        assert!(super::floors("//! # Floors\n//! ```text\n//! 1 web\n//! 2 web\n//! ```").is_err());
    }

    #[test]
    fn upward_uses_are_found_however_they_are_written() {
        let up = ["src/store/rows.rs:2: store (floor 2) looks up at cli (floor 3)"];
        for text in [
            "\nuse crate::cli::Exit;",
            "\nuse crate::{web::url, cli};",
            "\nuse crate::{web::{url, time}, cli::{self, Exit}};",
            "\npub(crate) use crate::cli as top;",
            "\nfn f() -> crate::cli::Exit { loop {} }",
            "\nuse super::super::cli;",
            "\nuse super::{rows, super::cli};",
            "\nuse self::super::super::cli::Exit;",
            "\nmod inner { use super::super::super::cli; }",
            "\nmacro_rules! m { () => { $crate::cli::f() } }",
            "\nfn f() { let c = '\"'; let d = '\\''; crate::cli::f() } // \"",
            "\nfn f<'a>(x: &'a str) { crate::cli::f(x) }",
            "\nuse pressmark::cli;",
        ] {
            assert_eq!(looks_up("src/store/rows.rs", text), up, "{text}");
        }
        let across = ["src/store/mod.rs:1: store (floor 2) looks up at wire (floor 2)"];
        assert_eq!(looks_up("src/store/mod.rs", "use super::wire;"), across);
        assert_eq!(looks_up("src/store.rs", "use super::wire;"), across.map(|line| line.replace("/mod", "")));
    }

    #[test]
    fn the_root_is_no_way_round() {
        assert_eq!(looks_up("src/store/mod.rs", "use crate::Exit;").len(), 1);
        assert_eq!(looks_up("src/store/mod.rs", "use crate::*;").len(), 1);
        assert_eq!(looks_up("src/store/mod.rs", "use super::*;").len(), 1);
        assert_eq!(looks_up("src/store/mod.rs", "use crate::{self as root};").len(), 1);
        assert_eq!(looks_up("src/lib.rs", "pub mod web;\npub use web::url;").len(), 1);
        assert_eq!(looks_up("src/lib.rs", LIB), [""; 0]);
    }

    #[test]
    fn downward_uses_words_and_comments_pass() {
        for text in [
            "use crate::web::url; use crate::store::rows; use super::rows;",
            "// crate::cli\n/* crate::cli /* crate::cli */ crate::cli */ /// [`crate::cli`]",
            "fn f() { g(\"crate::cli \\\" crate::cli\", r#\"\" crate::cli\"#, b\"crate::cli\", 'c') }",
            "mod tests { use super::*; use super::super::rows; }",
            "pub(crate) fn cli() {} pub(super) fn f() { cli() } pub(in crate::store) fn g() {}",
            "use other::cli; use std::{io, fmt::{self, Write as _}};",
        ] {
            assert_eq!(looks_up("src/store/rows.rs", text), [""; 0], "{text}");
        }
        assert_eq!(looks_up("src/main.rs", "fn main() { pressmark::cli::main() }"), [""; 0]);
    }

    #[test]
    fn replay_may_not_use_the_door_although_it_stands_higher() {
        let floors = Floors::from([("wire".to_owned(), 1), ("replay".to_owned(), 2)]);
        let complaints = upward_uses(&source("src/replay/server.rs", "use crate::wire::Door;"), &floors);
        assert!(complaints[0].starts_with("src/replay/server.rs:1: replay uses wire"), "{complaints:?}");
    }

    #[test]
    fn modules_and_floors_match() {
        let floors = floors(LIB).expect("the table can be read");
        let files =
            ["src/lib.rs", "src/main.rs", "src/cli/mod.rs", "src/store.rs", "src/web/url.rs", "src/extra/mod.rs"];
        let sources: Vec<Source> = files.iter().map(|file| source(file, "")).collect();
        let complaints = misplaced(&sources, &floors);
        assert!(complaints[0].starts_with("src/extra: stands on no floor"), "{complaints:?}");
        assert!(complaints[1].contains("names `wire`"), "{complaints:?}");
        assert_eq!(complaints.len(), 2);
    }

    #[test]
    fn the_client_and_the_streams_stay_where_they_belong() {
        let client = "/// Not reqwest.\nfn f() -> reqwest::Client { \"reqwest\" }";
        assert_eq!(wrong_http(&source("src/wire/mod.rs", client)).len(), 1);
        assert_eq!(wrong_http(&source("src/fetch/mod.rs", client)).len(), 0);
        for text in [
            "fn f() { std::process::exit(1) }",
            "use std::env; fn f() { env::var(\"X\") }",
            "use std::env::{self, var_os};",
            "fn f() { println!(\"{}\", 1) }",
            "fn f() { std::eprintln!() }",
            "use std::io::{self, stdout};",
        ] {
            assert_eq!(wrong_streams(&source("src/store/mod.rs", text)).len(), 1, "{text}");
            assert_eq!(wrong_streams(&source("src/cli/mod.rs", text)).len(), 0, "{text}");
            assert_eq!(wrong_streams(&source("src/main.rs", text)).len(), 0, "{text}");
        }
        for text in [
            "#[cfg(test)]\nmod tests { fn f() { println!() } }",
            "fn println() {} fn f() { writeln!(out, \"println!\"); env!(\"X\"); env::consts::OS }",
        ] {
            assert_eq!(wrong_streams(&source("src/store/mod.rs", text)), [""; 0], "{text}");
        }
        assert_eq!(wrong_streams(&source("src/web.rs", "#[cfg(test)] mod t { } fn f() { println!() }")).len(), 1);
    }

    #[test]
    fn what_is_half_done_is_named() {
        for text in [
            "fn f() { todo!() }",
            "fn f() { unimplemented!(\"later\") }",
            "fn f() { dbg!(1); }",
            "#[ignore]\nfn f() {}",
            "#[ignore = \"slow\"]\nfn f() {}",
            "#[allow(dead_code)]\nfn f() {}",
            "#![allow(dead_code)]",
            "#[path = \"x.rs\"]\nmod y;",
        ] {
            assert_eq!(unfinished(&source("src/web/url.rs", text)).len(), 1, "{text}");
        }
        let fine =
            "// todo!()\n#[expect(dead_code, reason = \"#[allow(x)]\")] fn allow(ignore: u8) { limiter.allow(ignore) }";
        assert_eq!(unfinished(&source("src/web/url.rs", fine)), [""; 0]);
        assert_eq!(empty_names(&source("src/web/utils.rs", "")).len(), 1);
        assert_eq!(empty_names(&source("src/helpers/mod.rs", "")).len(), 1);
        assert_eq!(empty_names(&source("src/web/mod.rs", "mod types { }")).len(), 1);
        assert_eq!(empty_names(&source("src/web/mod.rs", "mod typeset; // mod types\n")), [""; 0]);
    }

    #[test]
    fn a_test_file_that_is_not_named_is_found() {
        let main = source("tests/it/main.rs", "mod tidy;\n// mod lost;\n");
        let files =
            [main, source("tests/it/tidy.rs", ""), source("tests/it/lost.rs", ""), source("tests/it/far/mod.rs", "")];
        let complaints = unregistered(&files);
        assert_eq!(complaints.len(), 2, "{complaints:?}");
        assert!(complaints[0].starts_with("tests/it/lost.rs:"), "{complaints:?}");
    }
}
