//! Bylines: who wrote it, who helped, and which outlet it is from.

use std::sync::LazyLock;

use regex::Regex;

use crate::extract::Person;
use crate::extract::meta::dates;
use crate::extract::meta::names::{BETWEEN, NAME, constant, is_name, is_one, starts_with, without_twin};

/// What a line of credits says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credits {
    pub people: Vec<Person>,
    /// The outlet the text was taken from.
    pub source: Option<String>,
}

/// A line of credits is short; prose that mentions a reporter is not.
const LONGEST_LINE: usize = 110;

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
    ("本文来源", false, Credit::Source),
    ("来源", false, Credit::Source),
    ("來源", false, Credit::Source),
    ("稿源", false, Credit::Source),
];

/// What a line credits; nothing when it is no line of credits.
pub fn credits(line: &str) -> Credits {
    if line.chars().count() > LONGEST_LINE {
        return Credits::default();
    }
    let line = dates::plain(line);
    let english = english(line.trim());
    if !english.is_empty() {
        return Credits { people: english, source: None };
    }
    // `何田/山海日报`
    static BESIDE: LazyLock<Regex> =
        LazyLock::new(|| constant(r"^\s*(\p{Han}{2,4})\s*/\s*(\p{Han}{2,12}(?:报|網|网|社|新闻|周刊|台))\s*$"));
    if let Some(found) = BESIDE.captures(&line) {
        let people = vec![Person { name: found[1].to_owned(), role: "author" }];
        return Credits { people, source: Some(found[2].to_owned()) };
    }
    // `本报记者 何田 摄`
    static TAKEN: LazyLock<Regex> = LazyLock::new(|| {
        constant(
            r"^\s*[(]?\s*(?:\p{Han}{0,8}[记記]者\s*)?(\p{Han}{2,4}(?:[、\s]+\p{Han}{2,4}){0,3})\s+[摄攝]影?\s*[)]?\s*$",
        )
    });
    if let Some(found) = TAKEN.captures(&line) {
        let names = found[1].split('、').flat_map(han_words);
        let people = names.map(|name| Person { name, role: "photographer" }).collect();
        return Credits { people, source: None };
    }
    chinese(&line)
}

/// A line that says who a text is by.
pub fn begins_with_by(line: &str) -> bool {
    line.len() <= 2 * LONGEST_LINE && STARTS.iter().any(|start| line.starts_with(start))
}

/// A label whose name stands in the next line.
pub fn is_label(line: &str) -> bool {
    const LABELS: &str = "by|by:|written by|written by:|author|author:|authors:|words by|posted by|story by|von|von:|autor|autor:|\
        autorin:|autoren:|verfasst von|par|par:|auteur :|auteur:|por|por:|escrito por|di|scritto da|door";
    line.len() <= 16 && is_one(LABELS, &line.trim().to_lowercase())
}

/// What begins a line that credits somebody who did not write the text, in lower case, and what they did. Who changed
/// a text later, or looked it over, is credited with nothing.
const HELPED: &[(&str, Option<&str>)] = &[
    ("updated by", None),
    ("last updated by", None),
    ("reviewed by", None),
    ("medically reviewed by", None),
    ("expert reviewed by", None),
    ("fact checked by", None),
    ("fact-checked by", None),
    ("edited by", Some("editor")),
    ("translated by", Some("translator")),
    ("photos by", Some("photographer")),
    ("photo by", Some("photographer")),
    ("photographs by", Some("photographer")),
    ("photography by", Some("photographer")),
    ("illustration by", Some("illustrator")),
    ("illustrations by", Some("illustrator")),
];

/// The line credits somebody who did not write the text.
pub fn is_of_help(line: &str) -> bool {
    line.len() <= 160 && HELPED.iter().any(|(start, _)| starts_with(line.trim_start(), start))
}

/// The names that sign a text at its end: `……。(何田)`, `(c)Agency/Jane DOE`.
pub fn signature(text: &str) -> Vec<String> {
    static SIGNED: LazyLock<Regex> = LazyLock::new(|| {
        constant(r"[。！？…”」][(]\s*(?:记者|作者|文|本报记者)?\s*(\p{Han}{2,4}(?:[ 、]\p{Han}{2,4}){0,3})\s*[)]\s*$")
    });
    static AGENCY: LazyLock<Regex> =
        LazyLock::new(|| constant(r"[(][cC][)]\s*\p{Lu}+/(\p{Lu}[\p{L}.'-]+(?: [\p{L}.'-]+){0,3})\s*$"));
    let start = text.char_indices().rev().nth(60).map_or(0, |(at, _)| at);
    let end = dates::plain(&text[start..]).replace('!', "！").replace('?', "？");
    let found = SIGNED.captures(&end).or_else(|| AGENCY.captures(&end));
    let names = found.map(|found| found[1].split(['、']).flat_map(han_words).collect()).unwrap_or_default();
    Vec::into_iter(names).filter(|name| is_name(name)).collect()
}

/// Han names are divided by spaces, others hold them.
fn han_words(part: &str) -> Vec<String> {
    let is_han = part.chars().all(|c| c == ' ' || ('\u{3400}'..='\u{9fff}').contains(&c));
    if is_han { part.split_whitespace().map(str::to_owned).collect() } else { vec![part.trim().to_owned()] }
}

/// What a line credits in Chinese.
pub fn chinese(line: &str) -> Credits {
    static LABEL: LazyLock<Regex> = LazyLock::new(|| {
        let words = |bare: bool| {
            let words: Vec<&str> = LABELS.iter().filter(|label| !bare || label.1).map(|label| label.0).collect();
            words.join("|")
        };
        let text = format!(
            r"(?:^|[\s\[【(|/丨》]|^\p{{Han}}{{2,8}}?)(?:(?P<marked>{})\s*[/|丨︱:]\s*|(?P<bare>{})\s+)|(?P<glued>本文来源|文章来源|来源|作者|责任编辑|责编)\s*:\s*",
            words(false),
            words(true)
        );
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
        let Some(word) = label.name("marked").or(bare).or(label.name("glued")) else { continue };
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

/// What begins a line that names an author.
const STARTS: &[&str] = &[
    "By ",
    "BY ",
    "by ",
    "By: ",
    "Written by ",
    "Words by ",
    "Story by ",
    "Text by ",
    "Posted by ",
    "Author: ",
    "Authors: ",
    "Von ",
    "Von: ",
    "von ",
    "Autor: ",
    "Autorin: ",
    "Autorin/Autor ",
    "Autoren: ",
    "Text: ",
    "Par ",
    "par ",
    "Auteur : ",
    "Auteur: ",
    "Por ",
    "Di ",
    "di ",
    "Autore: ",
    "Door ",
    "door ",
    "Автор: ",
];

/// The names of a line such as `By Jane Doe and John Roe | October 26, 2021`, or `Oct 26, 2021 by Jane Doe`.
fn english(line: &str) -> Vec<Person> {
    static DATED: LazyLock<Regex> = LazyLock::new(|| {
        constant(
            r"\b\d{1,2}(?:st|nd|rd|th)?(?:[.,]?\s+|\.?\s*\p{L}+\.?,?\s+|[./-]\d{1,2}[./-])(?:19|20)\d\d\b[^.!?]{0,20}?\b((?i:by|von|par|por) )",
        )
    });
    let behind_day = DATED.captures(line).and_then(|found| Some(&line[found.get(1)?.end()..]));
    let helped =
        HELPED.iter().find(|(start, _)| starts_with(line, start)).map(|(start, role)| (&line[start.len()..], *role));
    let wrote = || Some((STARTS.iter().find_map(|start| line.strip_prefix(start)).or(behind_day)?, Some("author")));
    let Some((rest, Some(role))) = helped.or_else(wrote) else { return Vec::new() };
    let cut = rest.find(['|', '·', '—', '–', '(', ';']).into_iter().chain(rest.find(|c: char| c.is_ascii_digit()));
    let words = [" for ", " on ", " in ", " at "].into_iter().filter_map(|word| rest.find(word));
    let rest = rest[..cut.chain(words).min().unwrap_or(rest.len())].trim_start_matches([':', ' ']);
    let parts = BETWEEN.split(rest);
    let names = parts.map(|name| name.trim().trim_end_matches(['.', ',']).to_owned());
    // What follows the names is an outlet or a job: `By Jane Doe, staff writer`.
    names
        .take_while(|name| NAME.is_match(name) && is_name(name) && is_called(name))
        .map(|name| Person { name: without_twin(&name).to_owned(), role })
        .collect()
}

/// Of the words of a name, only particles begin small.
fn is_called(name: &str) -> bool {
    const PARTICLES: &str =
        "von|van|vom|zu|zur|der|den|de|del|della|di|da|das|do|dos|du|la|le|el|al|bin|ben|ibn|y|e|ter|ten|af|av";
    name.split(' ').all(|word| !word.starts_with(char::is_lowercase) || is_one(PARTICLES, word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::meta::names;
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
        check("本报记者 何田 摄", "何田 photographer");
        check("（新华社记者何田、李云 摄）", "何田 photographer, 李云 photographer");
        check("何田 攝影", "何田 photographer");
        check("何田 李云 攝", "何田 photographer, 李云 photographer");
        check("图为大桥，记者 何田 摄", "");
        check("撰文：[法] 让·克劳德", "让·克劳德 author");
        check("作者：云上，写字的人。公众号《某某》", "云上 author");
        check("作者：John Smith", "John Smith author");
        check("By Jane Doe", "Jane Doe author");
        check("By Jane Doe and Ludwig van der Berg | March 4, 2024", "Jane Doe author, Ludwig van der Berg author");
        check("By Jane Doe, Staff writer", "Jane Doe author");
        check("Mar 4, 2024 by Jane Doe in Rivers", "Jane Doe author");
        check("Autorin: Uta Doe, Leiterin des Projekts", "Uta Doe author");
        check("Von: Götz Roe", "Götz Roe author");
        check("By Jane DoeJane Doe", "Jane Doe author");
        check("Photos by Jane Doe and John Roe", "Jane Doe photographer, John Roe photographer");
        check("Translated by: Jane Doe", "Jane Doe translator");
        check("EDITED BY Jane Doe", "Jane Doe editor");
        check("Updated by Jane Doe", "");
    }

    #[test]
    fn prose_is_no_byline() {
        check("By far the best way to cook rice", "");
        check("他说，记者 昨天 来过", "");
        check("这是一篇讲述来源和作者的长文", "");
        check("记者从有关部门获悉，这一政策已经开始实施", "");
        check("By the River Thames", "");
        check("By News Editor", "");
        check("In 2024 it was cut by Half The Price.", "");
    }

    #[test]
    fn labels_and_helpers_are_told() {
        for (line, label, help) in [
            ("Von:", true, false),
            ("Written by", true, false),
            ("Written by the river", false, false),
            ("Updated by Jane Doe", false, true),
            ("Medically reviewed by Jane Doe, MD", false, true),
        ] {
            assert_eq!((is_label(line), is_of_help(line)), (label, help), "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_may_be_a_byline(text in "\\PC{0,40}", label in 0..LABELS.len()) {
            let _ = credits(&format!("{}：{text}", LABELS[label].0));
            let _ = credits(&format!("By {text}"));
            let _ = names::names(&text);
        }
    }

    fn check(line: &str, want: &str) {
        let credits = credits(line);
        let people: Vec<String> = credits.people.iter().map(|one| format!("{} {}", one.name, one.role)).collect();
        let source = credits.source.map(|source| format!(" <{source}")).unwrap_or_default();
        assert_eq!(format!("{}{source}", people.join(", ")), want, "{line}");
    }
}
