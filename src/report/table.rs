//! Rows for people and programs: a table, JSON, JSON lines, CSV, TSV.
//!
//! No format steers a terminal or starts a formula. JSON keeps every character, the harmful ones escaped, and the kinds
//! of values. Elsewhere control characters, and those that turn the direction of text, become U+FFFD. A table's cells
//! are cut to the width of the terminal. In CSV and TSV, text that a spreadsheet would take for a formula begins with an
//! apostrophe; numbers stay numbers.

use std::borrow::Cow;
use std::str::FromStr;

use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

use super::words::{clean, clipped, json};
use crate::store::Answer;

/// Between two columns of a table.
const GAP: usize = 2;
/// No column is made narrower than this, so that something of each is seen.
const NARROWEST: usize = 4;

/// How rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// One array of objects, one object a line.
    Json,
    /// One object a line.
    Jsonl,
    /// RFC 4180, with a header; line ends inside cells stay.
    Csv,
    /// Tab-separated, with a header; tabs and line ends inside cells become spaces.
    Tsv,
}

impl Format {
    /// Every format, for help and tests.
    pub const ALL: [Format; 5] = [Format::Table, Format::Json, Format::Jsonl, Format::Csv, Format::Tsv];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
            Format::Tsv => "tsv",
        }
    }
}

/// A word that names no [`Format`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no format; there are table, json, jsonl, csv and tsv")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Format, UnknownFormat> {
        let known = Format::ALL.into_iter().find(|format| format.as_str() == word);
        known.ok_or_else(|| UnknownFormat(word.to_owned()))
    }
}

/// The answer as text that ends with a line end. A table is fitted to `width` columns where one is given; when the
/// answer has too many columns even for that, its lines are longer.
///
/// Columns of one name are told apart in JSON by a number: `url`, `url_2`.
pub fn format(answer: &Answer, format: Format, width: Option<usize>) -> String {
    match format {
        Format::Table => table(answer, width),
        Format::Json => match json_lines(answer) {
            lines if lines.is_empty() => "[]\n".to_owned(),
            lines => format!("[\n{}\n]\n", lines.join(",\n")),
        },
        Format::Jsonl => json_lines(answer).iter().map(|line| format!("{line}\n")).collect(),
        Format::Csv => separated(answer, ",", "\r\n", csv_cell),
        Format::Tsv => separated(answer, "\t", "\n", |cell, value| guarded(cell, value) + &clean(cell)),
    }
}

/// Cells on lines, each column as wide as it must be, those marked `right` to the right; no line ends in spaces.
pub(super) fn laid_out(rows: &[Vec<String>], right: &[bool]) -> Vec<String> {
    let widths: Vec<usize> = (0..right.len()).map(|i| widest(rows.iter().filter_map(|row| row.get(i)))).collect();
    rows.iter().map(|row| line(row, &widths, right)).collect()
}

fn table(answer: &Answer, width: Option<usize>) -> String {
    let header: Vec<String> = answer.columns.iter().map(|name| clean(name).into_owned()).collect();
    let rows: Vec<Vec<String>> =
        answer.rows.iter().map(|row| row.iter().map(|value| clean(&plain(value)).into_owned()).collect()).collect();
    let right: Vec<bool> = (0..header.len()).map(|i| is_numbers(answer, i)).collect();
    let natural: Vec<usize> =
        (0..header.len()).map(|i| widest(std::iter::once(&header).chain(&rows).filter_map(|row| row.get(i)))).collect();
    // Half a number is another number: their columns stay.
    let least: Vec<usize> =
        natural.iter().zip(&right).map(|(natural, right)| if *right { *natural } else { NARROWEST }).collect();
    let widths = width.map_or_else(|| natural.clone(), |width| shrunk(&natural, &least, width));
    let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    let mut out = String::new();
    for row in [&header, &rule].into_iter().chain(&rows) {
        out.push_str(&line(row, &widths, &right));
        out.push('\n');
    }
    if rows.is_empty() {
        out.push_str("(no rows)\n");
    }
    out
}

fn widest<'a>(cells: impl Iterator<Item = &'a String>) -> usize {
    cells.map(|cell| cell.width()).max().unwrap_or(0)
}

/// Whether a column holds numbers and nothing else.
fn is_numbers(answer: &Answer, column: usize) -> bool {
    let mut values = answer.rows.iter().filter_map(|row| row.get(column)).filter(|value| !value.is_null()).peekable();
    values.peek().is_some() && values.all(Value::is_number)
}

/// Widths that fit: the widest columns give first, down to one common width, none below its least.
fn shrunk(natural: &[usize], least: &[usize], width: usize) -> Vec<usize> {
    let room = width.saturating_sub(GAP * natural.len().saturating_sub(1));
    let at = |cap: usize| natural.iter().zip(least).map(move |(natural, least)| *natural.min(&cap.max(*least)));
    // The largest common width that fits; below the narrowest nothing changes any more.
    let (mut fits, mut too_wide) = (0, natural.iter().max().map_or(1, |widest| widest + 1));
    while fits + 1 < too_wide {
        let middle = fits.midpoint(too_wide);
        if at(middle).sum::<usize>() <= room {
            fits = middle;
        } else {
            too_wide = middle;
        }
    }
    let mut widths: Vec<usize> = at(fits).collect();
    // What the common width leaves over goes to the first that want it.
    let mut over = room.saturating_sub(widths.iter().sum());
    for (width, natural) in widths.iter_mut().zip(natural) {
        if over > 0 && *width < *natural {
            *width += 1;
            over -= 1;
        }
    }
    widths
}

fn line(cells: &[String], widths: &[usize], right: &[bool]) -> String {
    let mut line = String::new();
    for (i, ((cell, width), right)) in cells.iter().zip(widths).zip(right).enumerate() {
        let cell = clipped(cell, *width);
        let padding = " ".repeat(width.saturating_sub(cell.width()));
        if i > 0 {
            line.push_str(&" ".repeat(GAP));
        }
        let (before, after) = if *right { (padding.as_str(), "") } else { ("", padding.as_str()) };
        line.extend([before, &cell, after]);
    }
    line.truncate(line.trim_end_matches(' ').len());
    line
}

/// A value as text: nothing for NULL, strings without quotes.
fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn json_lines(answer: &Answer) -> Vec<String> {
    let names = distinct(&answer.columns);
    let object =
        |row: &Vec<Value>| Value::Object(names.iter().cloned().zip(row.iter().cloned()).collect::<Map<_, _>>());
    answer.rows.iter().map(|row| json(object(row))).collect()
}

fn distinct(columns: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns {
        let numbered = (2..).map(|number| format!("{column}_{number}"));
        let name = std::iter::once(column.clone()).chain(numbered).find(|name| !names.contains(name));
        names.extend(name);
    }
    names
}

fn separated(answer: &Answer, between: &str, end: &str, cell: impl Fn(&str, &Value) -> String) -> String {
    let header = answer.columns.iter().map(|name| cell(name, &Value::Null)).collect::<Vec<_>>();
    let rows = answer.rows.iter().map(|row| row.iter().map(|value| cell(&plain(value), value)).collect::<Vec<_>>());
    std::iter::once(header).chain(rows).map(|row| row.join(between) + end).collect()
}

/// RFC 4180, 2: quotes around cells with quotes, commas or line ends, quotes inside doubled.
fn csv_cell(cell: &str, value: &Value) -> String {
    // CSV alone can hold line ends and tabs.
    let kept = ['\t', '\n', '\r'];
    let cleaned: String = cell
        .split_inclusive(kept)
        .map(|part| match part.strip_suffix(kept) {
            Some(text) => format!("{}{}", clean(text), &part[text.len()..]),
            None => clean(part).into_owned(),
        })
        .collect();
    let guard = guarded(cell, value);
    if cleaned.contains(['"', ',', '\n', '\r']) {
        format!("\"{guard}{}\"", cleaned.replace('"', "\"\""))
    } else {
        guard + &cleaned
    }
}

/// What a spreadsheet takes for the beginning of a formula (OWASP, «CSV Injection»), full-width forms included.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The apostrophe before what would be a formula.
fn guarded(cell: &str, value: &Value) -> String {
    let is_number = || value.is_number() || cell.parse::<f64>().is_ok_and(f64::is_finite);
    if cell.starts_with(FORMULA) && !is_number() { "'".to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(columns: &[&str], rows: &[Value]) -> Answer {
        Answer {
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            rows: rows.iter().map(|row| row.as_array().cloned().unwrap()).collect(),
        }
    }

    fn check(columns: &[&str], rows: &[Value], as_format: Format, width: Option<usize>, expected: &str) {
        assert_eq!(format(&answer(columns, rows), as_format, width), expected);
    }

    #[test]
    fn a_table_has_chinese_columns_straight() {
        let rows = [json!(["海岛观察", 12]), json!(["Harbour\u{1b}[2J", 3]), json!([null, null])];
        let expected = "\
            title        images\n\
            ───────────  ──────\n\
            海岛观察         12\n\
            Harbour�[2J       3\n\
            \n";
        check(&["title", "images"], &rows, Format::Table, None, expected);
    }

    #[test]
    fn a_table_fits_its_terminal_and_keeps_numbers_whole() {
        let rows = [json!(["https://example.org/a/long/path", "城市扬风与夜市", 1_234_567])];
        let expected = "\
            url             title             size\n\
            ──────────────  ─────────────  ───────\n\
            https://examp…  城市扬风与夜…  1234567\n";
        check(&["url", "title", "size"], &rows, Format::Table, Some(38), expected);
    }

    #[test]
    fn too_many_columns_stay_readable() {
        let expected = "\
            one   two   thr…\n\
            ────  ────  ────\n\
            aaa…  bbb…  cccc\n";
        check(&["one", "two", "three"], &[json!(["aaaaaa", "bbbbbb", "cccc"])], Format::Table, Some(5), expected);
    }

    #[test]
    fn an_empty_table_says_so() {
        check(&["url"], &[], Format::Table, Some(80), "url\n───\n(no rows)\n");
        check(&["url"], &[], Format::Json, None, "[]\n");
        check(&["url"], &[], Format::Jsonl, None, "");
        check(&["url"], &[], Format::Csv, None, "url\r\n");
    }

    #[test]
    fn json_keeps_kinds_and_every_column() {
        let rows = [json!(["a\u{1b}", 1, null]), json!(["b", 2.5, "x"])];
        let (first, second) = (r#"{"url":"a\u001b","n":1,"url_2":null}"#, r#"{"url":"b","n":2.5,"url_2":"x"}"#);
        let columns = ["url", "n", "url"];
        check(&columns, &rows, Format::Json, Some(3), &format!("[\n{first},\n{second}\n]\n"));
        check(&columns, &rows, Format::Jsonl, None, &format!("{first}\n{second}\n"));
    }

    #[test]
    fn csv_is_quoted_and_runs_no_formula() {
        let check = |value: Value, expected: &str| {
            check(&["a", "b"], &[json!([value, "z"])], Format::Csv, None, &format!("a,b\r\n{expected},z\r\n"));
        };
        check(json!("plain"), "plain");
        check(json!(null), "");
        check(json!("a,b"), "\"a,b\"");
        check(json!("say \"no\""), "\"say \"\"no\"\"\"");
        check(json!("two\nlines"), "\"two\nlines\"");
        check(json!("=1+1"), "'=1+1");
        check(json!("=HYPERLINK(\"x\",1)"), "\"'=HYPERLINK(\"\"x\"\",1)\"");
        check(json!("@cmd"), "'@cmd");
        check(json!("＝1+1"), "'＝1+1");
        check(json!("\n=1"), "\"'\n=1\"");
        check(json!("\u{1b}[2J\u{202e}x\ty"), "�[2J�x\ty");
        check(json!("\tx"), "'\tx");
        check(json!("-x"), "'-x");
        check(json!("-inf"), "'-inf");
        check(json!("+1 555"), "'+1 555");
        check(json!("-1.5"), "-1.5");
        check(json!(-3), "-3");
    }

    #[test]
    fn tsv_has_one_line_a_row() {
        let rows = [json!(["a\tb\r\nc", "=1", -2]), json!(["\u{9b}x", "-2", "@x"])];
        check(&["x", "y", "z"], &rows, Format::Tsv, None, "x\ty\tz\na b  c\t'=1\t-2\n�x\t-2\t'@x\n");
    }

    #[test]
    fn formats_are_read_by_name() {
        for known in Format::ALL {
            assert_eq!(known.as_str().parse(), Ok(known));
        }
        assert_eq!("xml".parse::<Format>(), Err(UnknownFormat("xml".to_owned())));
    }

    #[test]
    fn columns_shrink_fairly() {
        let check = |natural: &[usize], width: usize, expected: &[usize]| {
            assert_eq!(shrunk(natural, &vec![NARROWEST; natural.len()], width), expected);
        };
        check(&[10, 10], 80, &[10, 10]);
        check(&[3, 50, 50], 45, &[3, 19, 19]);
        check(&[3, 50, 50], 46, &[3, 20, 19]);
        check(&[50, 50], 2, &[4, 4]);
        check(&[2, 50], 2, &[2, 4]);
        check(&[], 10, &[]);
    }
}
