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
    ("本文来源", false, Credit::Source),
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
    chinese(&line)
}

/// What stands before a name, in lower case; several may follow each other.
const BEFORE: &str = "\
    by |by: |von |von: |vom |par |por |di |door |af |av |text: |text von |texte : |texto: |testo di |\
    written by |words by |story by |posted by |article by |published by |submitted by |created by |author: |\
    authors: |author |autor: |autor |autorin: |autoren: |auteur : |autore: |erstellt von |verfasst von |\
    veröffentlicht von |geschrieben von |ein beitrag von |ein kommentar von |eine analyse von |\
    ein gastbeitrag von |ein interview von |publié par |écrit par |escrito por |publicado por |scritto da |\
    a cura di |view all posts by |alle beiträge von |by-|by\u{a0}|автор: |автор |текст: |著者:|著者 |\
    writer: |文:|文 |撮影:|글 ";

/// Names of nobody: what programs and outlets write where a person's name belongs, in lower case.
const NOBODY: &str = "\
    admin|administrator|wordpressadmin|webmaster|root|user|guest|gast|anonymous|unknown|author|autor|editor|\
    editors|the editors|staff|staff writer|staff reporter|web desk|news desk|newsroom|newsdesk|editorial|\
    editorial team|editorial staff|team|online|redaktion|die redaktion|online-redaktion|onlineredaktion|\
    redaktionsteam|pressestelle|rédaction|la rédaction|redacción|la redacción|redazione|la redazione|\
    redactie|redação|редакция|redakcja|redakce|press release|contributor|contributors|guest author|\
    gastautor|none|null|undefined|n/a|账号|作者|记者|编辑|佚名|匿名|小编|本站|原创|转载|未知|編集部|편집부|\
    관리자";

/// Words of jobs and of outlets; a part of a byline that has one is no name.
const JOBS: &str = "\
    editor|editors|reporter|correspondent|contributor|contributors|writer|staff|journalist|columnist|\
    producer|photographer|founder|co-founder|ceo|director|manager|professor|analyst|redaktion|redakteur|\
    redakteurin|redakteure|korrespondent|korrespondentin|autorin|volontär|volontärin|herausgeber|rédaction|\
    redacción|redazione|press|news|media|magazine|blog|team|desk|agency|agentur|agence|agencia|verlag|\
    zeitung|nachrichten|university|institute|foundation|stiftung|gmbh|inc|ltd|llc|e.v.|twitter|facebook|\
    instagram|linkedin|email|updated|published|posted|read|comments|minutes|foto|fotos|photo|photos|bild|\
    image|getty|lizenz|license|more|follow|share|posts|articles|view|by|written|reviewed|reviewer|engineer|\
    search|rss|feed|alle|artikel|beiträge|process|policy|scholar|google|jobs|hire|travel|today|stand|\
    veröffentlicht|chefredakteur|chefredakteurin|pressemitteilung|nachricht|ca|von|par|min|ago";

/// Months that stand right behind a name, where a day follows.
const MONTHS: &str = "\
    january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|\
    jun|jul|aug|sep|sept|oct|nov|dec";

/// Ends of the names of Chinese and Japanese outlets.
const OUTLETS: &str = "\
    网|報|报|社|台|新闻|新聞|日报|晚报|在线|科技|财经|娱乐|体育|频道|客户端|消息|编辑部|編集部|周刊|杂志|\
    部落|号|网站|传媒|公司|协会|交警|发布";

/// What divides names.
static BETWEEN: LazyLock<Regex> =
    LazyLock::new(|| constant(r"(?i)\s*(?:[,;/&、，；·]|\s(?:and|und|y|et|e|og|och|en|i|и|with|mit|sowie)\s)\s*"));

/// Names as a person would be called, from a field that holds names: without «By», jobs, outlets and days.
pub(super) fn names(field: &str) -> Vec<String> {
    static TAG: LazyLock<Regex> = LazyLock::new(|| constant(r"<[^>]{0,200}>|\([^)]{0,60}\)|\[[^\]]{0,60}\]"));
    static END: LazyLock<Regex> = LazyLock::new(|| {
        constant(
            r"(?i)\s[|•·–—-]+\s|[|•]|[@＠]|\d|\s(?:updated|published|posted|last|on|at|in|for|from|am|le|el|il)\s|\s[-–—]|\bupdated\b",
        )
    });
    // Social networks put the address of a profile here.
    if field.contains("://") || field.contains("www.") || field.starts_with('@') {
        return Vec::new();
    }
    let field = super::facts::plain(field);
    let field = TAG.replace_all(&field, " ");
    let field = super::folded(&dates::plain(&field));
    let credited = chinese(&field).people;
    if !credited.is_empty() {
        return credited.into_iter().map(|person| person.name).filter(|name| is_name(name)).collect();
    }
    let mut rest = field.trim_matches([' ', ',', ':', '|', '-', '–', '/', '.', '•']);
    while let Some(start) = BEFORE.split('|').find(|start| starts_with(rest, start)) {
        rest = rest[start.len()..].trim_start_matches([' ', ':']);
    }
    let rest = match END.find(rest) {
        Some(end) if end.start() > 0 => &rest[..end.start()],
        Some(_) => "",
        None => rest,
    };
    let is_east = |text: &str| text.chars().any(|c| c >= '\u{2e80}');
    // A point divides foreign names in Chinese.
    let parts: Vec<&str> = if is_east(rest) && rest.contains('·') {
        rest.split(['、', ',']).collect()
    } else {
        BETWEEN.split(rest).collect()
    };
    let parts = parts.into_iter().map(without_job).filter(|name| is_name(name));
    let mut names: Vec<String> = parts.map(str::to_owned).collect();
    // A single word beside whole names is a town or an outlet.
    if names.iter().any(|name| name.contains(' ')) {
        names.retain(|name| name.contains(' ') || is_east(name));
    }
    names
}

/// As [`names()`], from a field of bibliographers, who write the last name first: `Doe, Jane`.
pub(super) fn catalogued(field: &str) -> Vec<String> {
    let mut parts = field.split(',').map(str::trim);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(last), Some(first), None) if !last.contains(' ') && !first.is_empty() => {
            names(&format!("{first} {last}"))
        }
        _ => names(field),
    }
}

/// A name without the job behind it: Korean and Japanese reporters are called so.
fn without_job(name: &str) -> &str {
    let name = name.trim().trim_matches([',', '.', ':', '"', '\'', '“', '”', '-', '–']).trim();
    let name = match name.rsplit_once(' ') {
        Some((before, last)) if is_one(MONTHS, &last.to_lowercase()) => before.trim_end_matches([',', ' ']),
        _ => name,
    };
    let mut words = name.split_inclusive(' ').scan(0, |at, word| {
        let start = *at;
        *at += word.len();
        Some((start, word.trim_end().trim_end_matches(',').to_lowercase()))
    });
    // What stands behind a whole name is a job or a button: `Jane Doe Twitter`.
    let job = words
        .by_ref()
        .skip(2)
        .filter(|_| !starts_with(name, "the "))
        .find(|(_, word)| word != "von" && is_one(JOBS, word));
    let name = job.map_or(name, |(at, _)| name[..at].trim_end());
    let ends = ["기자", "특파원", "선임기자", "논설위원", "記者", "记者", "著"];
    ends.iter().find_map(|end| name.strip_suffix(end)).map_or(name, str::trim_end)
}

/// What may be a person's name, or the name a person goes by.
fn is_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    let length = name.chars().count();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let has_case = name.chars().any(|c| c.is_lowercase() || c.is_uppercase());
    let is_outlet = !has_case && length >= 3 && OUTLETS.split('|').any(|end| name.ends_with(end));
    let is_host =
        lower.rsplit_once('.').is_some_and(|(_, end)| matches!(end, "com" | "de" | "org" | "net" | "at" | "ch"));
    (2..=50).contains(&length)
        && words.len() <= 5
        && name.chars().next().is_some_and(char::is_alphabetic)
        && !name.contains(|c: char| c.is_ascii_digit() || "?!:<>=@{}\"".contains(c))
        && (length > 4 || !is_one(MONTHS, &lower) || lower == "may")
        && !is_one(NOBODY, &lower)
        // «von» may stand within a name.
        && !words.iter().enumerate().any(|(at, word)| is_one(JOBS, word) && (at == 0 || *word != "von"))
        && !is_outlet
        && !is_host
        // Of the words of a sentence, few begin with capitals.
        && (!has_case || words.len() < 3 || name.chars().filter(|c| c.is_uppercase()).count() >= 2)
}

/// The names that sign a text at its end: `……。(何田)`, `(c)Agency/Jane DOE`.
pub(super) fn signature(text: &str) -> Vec<String> {
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

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.to_lowercase() == start)
}

/// One of the entries of a list, which are divided by bars.
fn is_one(list: &str, entry: &str) -> bool {
    list.split('|').any(|one| one == entry)
}

fn constant(text: &str) -> Regex {
    // The expressions are constants, and a test uses each.
    Regex::new(text).expect("a valid expression")
}

fn chinese(line: &str) -> Credits {
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
    let parts = BETWEEN.split(rest);
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
