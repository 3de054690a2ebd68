//! Bylines: who wrote it, who helped, and which outlet it is from.

use std::sync::LazyLock;

use regex::Regex;

use super::{Person, dates};

/// What a line of credits says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Credits {
    pub people: Vec<Person>,
    /// The outlet the text was taken from.
    pub source: Option<String>,
}

/// A line of credits is short; prose that mentions a reporter is not.
const LONGEST_LINE: usize = 80;

/// What a label credits its names with.
#[derive(Clone, Copy)]
enum Credit {
    Role(&'static str),
    Source,
    /// The source of a picture: neither a person nor the source of the text.
    Picture,
}

/// Chinese labels, longer ones before those they contain. Bare ones may stand before a name with nothing but a space
/// between; the others need a bar or a colon, because they are everyday words.
const LABELS: &[(&str, bool, Credit)] = &[
    ("实习生", true, Credit::Role("intern")),
    ("實習生", true, Credit::Role("intern")),
    ("实习记者", true, Credit::Role("intern")),
    ("通讯员", true, Credit::Role("correspondent")),
    ("通訊員", true, Credit::Role("correspondent")),
    ("本报记者", true, Credit::Role("reporter")),
    ("本刊记者", true, Credit::Role("reporter")),
    ("特约记者", true, Credit::Role("reporter")),
    ("记者", true, Credit::Role("reporter")),
    ("記者", true, Credit::Role("reporter")),
    ("责任编辑", true, Credit::Role("editor")),
    ("責任編輯", true, Credit::Role("editor")),
    ("责编", true, Credit::Role("editor")),
    ("编辑", false, Credit::Role("editor")),
    ("編輯", false, Credit::Role("editor")),
    ("主编", false, Credit::Role("editor")),
    ("校对", false, Credit::Role("proofreader")),
    ("编译", false, Credit::Role("translator")),
    ("翻译", false, Credit::Role("translator")),
    ("译者", false, Credit::Role("translator")),
    ("譯者", false, Credit::Role("translator")),
    ("译", false, Credit::Role("translator")),
    ("摄影", false, Credit::Role("photographer")),
    ("攝影", false, Credit::Role("photographer")),
    ("摄", false, Credit::Role("photographer")),
    ("图片来源", false, Credit::Picture),
    ("图源", false, Credit::Picture),
    ("圖源", false, Credit::Picture),
    ("题图", false, Credit::Picture),
    ("图", false, Credit::Picture),
    ("撰文", false, Credit::Role("author")),
    ("作者", false, Credit::Role("author")),
    ("文", false, Credit::Role("author")),
    ("文章来源", false, Credit::Source),
    ("来源", false, Credit::Source),
    ("來源", false, Credit::Source),
    ("稿源", false, Credit::Source),
];

/// What a line credits; nothing when it is no line of credits.
pub(super) fn credits(line: &str) -> Credits {
    if line.chars().count() > LONGEST_LINE {
        return Credits::default();
    }
    let line = dates::plain(line);
    let english = english(line.trim());
    if english.is_empty() { chinese(&line) } else { Credits { people: english, source: None } }
}

/// Names as a person would be called, from a field that holds names: without «By», without an outlet behind a comma.
pub(super) fn names(field: &str) -> Vec<String> {
    let field = field.trim();
    let field = field.strip_prefix("By ").or_else(|| field.strip_prefix("by ")).unwrap_or(field);
    // Social networks put the address of a profile here.
    if field.contains("://") {
        return Vec::new();
    }
    let credited = credits(field).people;
    if !credited.is_empty() {
        return credited.into_iter().map(|person| person.name).collect();
    }
    let parts = field.split([',', '、', '，', ';', '|', '/', '&']).flat_map(|part| part.split(" and "));
    let parts = parts.map(str::trim).filter(|name| !name.starts_with('@'));
    parts
        .filter(|name| (2..=40).contains(&name.chars().count()) && !name.contains(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

fn chinese(line: &str) -> Credits {
    static LABEL: LazyLock<Regex> = LazyLock::new(|| {
        let words = |bare: bool| {
            let words: Vec<&str> = LABELS.iter().filter(|label| !bare || label.1).map(|label| label.0).collect();
            words.join("|")
        };
        let text =
            format!(r"(?:^|[\s\[【(|/丨])(?:(?P<marked>{})\s*[/|丨︱:]\s*|(?P<bare>{})\s+)", words(false), words(true));
        // The labels are constants without special characters.
        Regex::new(&text).expect("labels make a valid expression")
    });
    let found: Vec<_> = LABEL.captures_iter(line).collect();
    let mut credits = Credits::default();
    // Prose before the first label: this is no line of credits.
    let start = found.first().and_then(|first| first.get(0)).map_or(0, |first| first.start());
    if line[..start].contains(['。', '，', ',', '！', '？']) {
        return credits;
    }
    for (number, label) in found.iter().enumerate() {
        let Some(whole) = label.get(0) else { continue };
        let end = found.get(number + 1).and_then(|next| next.get(0)).map_or(line.len(), |next| next.start());
        let bare = label.name("bare");
        let Some(word) = label.name("marked").or(bare) else { continue };
        let Some((.., credit)) = LABELS.iter().find(|(label, ..)| *label == word.as_str()) else { continue };
        let value = &line[whole.end()..end];
        match credit {
            Credit::Role(role) => {
                let names = chinese_names(value, bare.is_some()).into_iter();
                credits.people.extend(names.map(|name| Person { name, role }));
            }
            Credit::Source => {
                let source = value.split([' ', ']', '】', ')', '|', '丨', ',']).find(|word| !word.is_empty());
                credits.source = credits.source.take().or(source.map(str::to_owned));
            }
            Credit::Picture => {}
        }
    }
    credits
}

/// The names behind a label, up to where a sentence begins. Behind a bare label only a Han name is believed.
fn chinese_names(value: &str, bare: bool) -> Vec<String> {
    static MARK: LazyLock<Regex> = LazyLock::new(|| {
        // A country before a translated name: `[瑞]`. The expression is a constant.
        Regex::new(r"[\[【(][^\])】]{1,3}[\])】]").expect("a valid expression")
    });
    let value = MARK.replace_all(value, " ");
    let value =
        value.split([',', '，', '。', ';', '《', '(', '[', '【', ')', ']', '】', '!', '?']).next().unwrap_or("");
    let is_han = |name: &str| {
        let length = name.chars().count();
        let all = name.chars().all(|c| ('\u{3400}'..='\u{9fff}').contains(&c) || c == '·');
        all && ((2..=4).contains(&length) || name.contains('·') && length <= 20)
    };
    let parts = value.split(['、', '/', '&', '|', '丨']).map(str::trim).filter(|part| !part.is_empty());
    let mut names = Vec::new();
    for part in parts {
        if part.split_whitespace().all(is_han) {
            names.extend(part.split_whitespace().map(str::to_owned));
        } else if !bare && part.chars().count() <= 20 && part.chars().any(char::is_alphabetic) {
            names.push(part.to_owned());
        } else {
            break;
        }
    }
    names
}

/// The names of a line such as `By Jane Doe and John Roe | October 26, 2021`.
fn english(line: &str) -> Vec<Person> {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        // Two to five words, the first and the last with a capital. The expression is a constant.
        Regex::new(r"^\p{Lu}[\p{L}.'’-]*(?: [\p{L}.'’-]+){0,3} \p{Lu}[\p{L}.'’-]*$").expect("a valid expression")
    });
    let starts = ["By ", "BY ", "by ", "Written by ", "Words by ", "Story by ", "Von ", "Par ", "Por "];
    let Some(rest) = starts.iter().find_map(|start| line.strip_prefix(start)) else { return Vec::new() };
    let cut = rest.find(['|', '·', '—', '–', '(', ';']).into_iter().chain(rest.find(|c: char| c.is_ascii_digit()));
    let rest = &rest[..cut.chain(rest.find(" for ")).chain(rest.find(" on ")).min().unwrap_or(rest.len())];
    let parts = rest.split(", ").flat_map(|part| part.split(" and ")).flat_map(|part| part.split(" & "));
    let names = parts.map(|name| name.trim().trim_end_matches(['.', ',']).to_owned());
    // What follows the names is an outlet or a job: `By Jane Doe, staff writer`.
    names.take_while(|name| NAME.is_match(name)).map(|name| Person { name, role: "author" }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn credits_are_read_with_their_roles() {
        check("文 / 林晚舟 实习生 周小满", "林晚舟 author, 周小满 intern");
        check("作者：草间客", "草间客 author");
        check("作者 | 何田", "何田 author");
        check("作者丨何田田", "何田田 author");
        check("责编丨贺东", "贺东 editor");
        check("文/何田、李云 许梅", "何田 author, 李云 author, 许梅 author");
        check("来源：山海报　作者：何田", "何田 author <山海报");
        check("2024-03-04 10:06 来源：山海报 作者：何田", "何田 author <山海报");
        check("本报记者 何田 通讯员 陆晨", "何田 reporter, 陆晨 correspondent");
        check("图源：网友", "");
        check("撰文：[法] 让·克劳德", "让·克劳德 author");
        check("作者：云上，写字的人。公众号《某某》", "云上 author");
        check("作者：John Smith", "John Smith author");
        check("By Jane Doe", "Jane Doe author");
        check("By Jane Doe and Ludwig van der Berg | March 4, 2024", "Jane Doe author, Ludwig van der Berg author");
        check("By Jane Doe, Staff writer", "Jane Doe author");
    }

    #[test]
    fn prose_is_no_byline() {
        check("By far the best way to cook rice", "");
        check("他说，记者 昨天 来过", "");
        check("这是一篇讲述来源和作者的长文", "");
        check("记者从有关部门获悉，这一政策已经开始实施", "");
        check("By the River Thames", "");
    }

    #[test]
    fn fields_hold_names() {
        for (field, want) in [
            ("By Jane Doe, John Roe and Ann Poe", &["Jane Doe", "John Roe", "Ann Poe"][..]),
            ("https://social.example/jane", &[]),
            ("记者 何田", &["何田"]),
            ("何田、李云", &["何田", "李云"]),
            ("", &[]),
        ] {
            assert_eq!(names(field), want, "{field}");
        }
    }

    proptest! {
        #[test]
        fn any_line_may_be_a_byline(text in "\\PC{0,40}", label in 0..LABELS.len()) {
            let _ = credits(&format!("{}：{text}", LABELS[label].0));
            let _ = credits(&format!("By {text}"));
            let _ = names(&text);
        }
    }

    fn check(line: &str, want: &str) {
        let credits = credits(line);
        let people: Vec<String> = credits.people.iter().map(|one| format!("{} {}", one.name, one.role)).collect();
        let source = credits.source.map(|source| format!(" <{source}")).unwrap_or_default();
        assert_eq!(format!("{}{source}", people.join(", ")), want, "{line}");
    }
}
