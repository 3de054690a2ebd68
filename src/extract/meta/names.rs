//! Names as people would be called, from fields that hold names and much besides.

use std::sync::LazyLock;

use regex::Regex;

use crate::extract::meta::{byline, dates};

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
    admin|administrator|webmaster|root|user|guest|gast|anonymous|unknown|author|autor|editor|\
    editors|the editors|staff|staff writer|staff reporter|web desk|news desk|newsroom|newsdesk|editorial|\
    editorial team|editorial staff|team|online|redaktion|die redaktion|online-redaktion|onlineredaktion|\
    redaktionsteam|pressestelle|rédaction|la rédaction|redacción|la redacción|redazione|la redazione|\
    redactie|redação|редакция|redakcja|redakce|press release|contributor|contributors|guest author|\
    gastautor|none|null|undefined|n/a|last|source|quelle|账号|作者|记者|编辑|佚名|匿名|小编|本站|原创|转载|未知|編集部|편집부|\
    관리자";

/// Words of jobs and of outlets; a part of a byline that has one is no name.
const JOBS: &str = "\
    editor|editors|reporter|correspondent|contributor|contributors|writer|staff|journalist|columnist|\
    producer|photographer|founder|co-founder|ceo|director|manager|professor|analyst|redaktion|redakteur|\
    redakteurin|redakteure|korrespondent|korrespondentin|autorin|volontär|volontärin|herausgeber|rédaction|\
    redacción|redazione|press|news|media|magazine|blog|team|desk|agency|agentur|agence|agencia|verlag|\
    zeitung|nachrichten|university|institute|foundation|stiftung|gmbh|inc|ltd|llc|e.v.|twitter|facebook|\
    instagram|linkedin|email|updated|published|posted|read|comments|minutes|foto|fotos|photo|photos|bild|\
    image|getty|lizenz|license|more|follow|share|show|posts|articles|view|by|written|reviewed|reviewer|engineer|\
    search|rss|feed|alle|artikel|beiträge|process|policy|scholar|google|jobs|hire|travel|today|stand|\
    author|authors|archive|archives|veröffentlicht|chefredakteur|chefredakteurin|pressemitteilung|nachricht|ca|von|par|min|ago";

/// Months that stand right behind a name, where a day follows.
const MONTHS: &str = "\
    january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|\
    jun|jul|aug|sep|sept|oct|nov|dec";

/// Ends of the names of Chinese and Japanese outlets.
const OUTLETS: &str = "\
    网|報|报|社|台|新闻|新聞|日报|晚报|在线|科技|财经|娱乐|体育|频道|客户端|消息|编辑部|編集部|周刊|杂志|\
    部落|号|网站|传媒|公司|协会|发布";

/// What divides names.
pub static BETWEEN: LazyLock<Regex> =
    LazyLock::new(|| constant(r"(?i)\s*(?:[,;/&、，；·]|\s(?:and|und|y|et|e|og|och|en|i|и|with|mit|sowie)\s)\s*"));

/// Where a name in a field ends.
static END: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?i)\s[|•·–—-]+\s|[|•]|[@＠]|\d|\s(?:updated|published|posted|last|on|at|in|for|from|am|le|el|il)\s|\s[-–—]|\b(?:updated|published|posted)\b",
    )
});

/// A field without markup, what is in brackets, and «By».
fn uncovered(field: &str) -> String {
    static TAG: LazyLock<Regex> = LazyLock::new(|| constant(r"<[^>]{0,200}>|\([^)]{0,60}\)|\[[^\]]{0,60}\]"));
    let field = crate::extract::meta::facts::plain(field).replace(['\u{ad}', '\u{200b}'], "");
    let field = TAG.replace_all(&field, " ");
    crate::extract::folded(&dates::plain(&field))
}

/// What stands before «By», and all that follows it, is cut.
fn without_by(field: &str) -> &str {
    let mut rest = field.trim_matches([' ', ',', ':', '|', '-', '–', '/', '.', '•']);
    while let Some(start) = BEFORE.split('|').find(|start| starts_with(rest, start)) {
        rest = rest[start.len()..].trim_start_matches([' ', ':', '|']);
    }
    match END.find(rest) {
        Some(end) if end.start() > 0 => &rest[..end.start()],
        Some(_) => "",
        None => rest,
    }
}

/// Words of the names of agencies and staffs, and the agencies that go by letters.
const COLLECTIVE: &str = "\
    press|staff|agency|team|editors|editorial|reporters|correspondents|writers|desk|newsroom|service|bureau|redaktion|\
    redaktionsteam|agentur|agence|agencia|agenzia|rédaction|redacción|redazione|contributors|associated|\
    afp|dpa|apa|sda|ansa|reuters|kna|epd|kathpress|ritzau|ians|pti|xinhua|kyodo|yonhap|aap|ap";

/// The name of an agency or a staff that a field says the text is by.
pub fn collective(field: &str) -> Option<String> {
    if field.contains("://") || field.contains("www.") {
        return None;
    }
    let field = uncovered(field);
    let name = without_month(without_by(&field).trim().trim_end_matches(['.', ',']));
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split([' ', '-']).collect();
    let is_short = |name: &str| (2..=4).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_one = words.len() <= 6 && name.chars().count() <= 50 && words.iter().any(|word| is_one(COLLECTIVE, word));
    let is_said = is_one || is_short(name);
    let is_begun = name.starts_with(char::is_uppercase) || name.len() <= 3;
    let is_plain = is_begun && !name.contains(|c: char| "?!:*<>=@{}\",;".contains(c));
    (is_said && is_plain).then(|| name.to_owned())
}

/// Names as a person would be called, from a field that holds names: without «By», jobs, outlets and days.
pub fn names(field: &str) -> Vec<String> {
    // Social networks put the address of a profile here.
    if field.contains("://") || field.contains("www.") || field.starts_with('@') {
        return Vec::new();
    }
    let field = uncovered(field);
    let credited = byline::chinese(&field).people;
    if !credited.is_empty() {
        return credited.into_iter().map(|person| person.name).filter(|name| is_name(name)).collect();
    }
    let called = called(&field);
    if !called.is_empty() {
        return called;
    }
    let rest = without_by(&field);
    let is_east = |text: &str| text.chars().any(|c| c >= '\u{2e80}');
    // A point divides foreign names in Chinese.
    let parts: Vec<&str> = if is_east(rest) && rest.contains('·') {
        rest.split(['、', ',']).collect()
    } else {
        BETWEEN.split(rest).collect()
    };
    // `news.example, City, Country`
    if parts.first().is_some_and(|first| is_host(first)) {
        return Vec::new();
    }
    let parts = parts.into_iter().map(without_job).filter(|name| is_name(name));
    let mut names: Vec<String> = parts.map(|name| without_twin(name).to_owned()).collect();
    // A single word beside whole names is a town or an outlet.
    if names.iter().any(|name| name.contains(' ')) {
        names.retain(|name| name.contains(' ') || is_east(name));
    }
    names
}

/// Korean reporters, who are called so behind their names: `순천 김하늘 기자 a@news.example, 이바다 기자`.
fn called(field: &str) -> Vec<String> {
    static CALLED: LazyLock<Regex> =
        LazyLock::new(|| constant(r"(\p{Hangul}{2,4})\s*(?:선임|인턴|수습|전문)?\s?(?:기자|특파원)(?:\P{Hangul}|$)"));
    CALLED.captures_iter(field).map(|found| found[1].to_owned()).filter(|name| is_name(name)).collect()
}

/// A name that markup has twice without a gap: `Jane DoeJane Doe`.
pub fn without_twin(name: &str) -> &str {
    let half = name.len() / 2;
    let is_twin = name.len() >= 8 && name.get(..half).is_some_and(|first| name.get(half..) == Some(first));
    if is_twin { &name[..half] } else { name }
}

/// As [`names()`], from a field of bibliographers, who write the last name first: `Doe, Jane`.
pub fn catalogued(field: &str) -> Vec<String> {
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
    let name = without_month(name);
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

/// A name without the month of a day that follows.
fn without_month(name: &str) -> &str {
    match name.rsplit_once(' ') {
        Some((before, last)) if is_one(MONTHS, &last.to_lowercase()) => before.trim_end_matches([',', ' ']),
        _ => name,
    }
}

/// What may be a person's name, or the name a person goes by.
pub fn is_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    let length = name.chars().count();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let has_case = name.chars().any(|c| c.is_lowercase() || c.is_uppercase());
    let is_outlet = !has_case && length >= 3 && OUTLETS.split('|').any(|end| name.ends_with(end));
    // LN, AFP: who signs with capitals alone is no person.
    let is_short = (2..=4).contains(&length) && name.bytes().all(|byte| byte.is_ascii_uppercase());
    (2..=50).contains(&length)
        && words.len() <= 5
        && name.chars().next().is_some_and(char::is_alphabetic)
        && !name.contains(|c: char| c.is_ascii_digit() || "?!:*<>=@{}".contains(c))
        && matches!(name.matches('"').count(), 0 | 2)
        && (!is_one(MONTHS, &lower) || matches!(lower.as_str(), "april" | "may" | "june" | "august" | "jan"))
        && !is_one(NOBODY, &lower)
        // «von» may stand within a name.
        && !words.iter().enumerate().any(|(at, word)| is_one(JOBS, word) && (at == 0 || *word != "von"))
        && !is_outlet
        && !is_host(&lower)
        && !is_short
        && !lower.split([' ', '-']).any(|word| is_one(COLLECTIVE, word))
        // Of the words of a sentence, few begin with capitals.
        && (!has_case || words.len() < 3 || name.chars().filter(|c| c.is_uppercase()).count() >= 2)
}

/// The name of a host.
fn is_host(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| matches!(end, "com" | "de" | "org" | "net" | "at" | "ch"))
}

/// A line that is a name and nothing else.
pub fn alone(line: &str) -> Vec<String> {
    let is_one = NAME.is_match(line) && line.chars().count() <= 40 && is_name(line);
    let is_all = line.split(' ').all(|word| word.starts_with(char::is_uppercase));
    if is_one && is_all { vec![line.to_owned()] } else { Vec::new() }
}

pub fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.to_lowercase() == start)
}

/// One of the entries of a list, which are divided by bars.
pub fn is_one(list: &str, entry: &str) -> bool {
    list.split('|').any(|one| one == entry)
}

pub fn constant(text: &str) -> Regex {
    // The expressions are constants, and a test uses each.
    Regex::new(text).expect("a valid expression")
}

/// Two to five words, the first and the last with a capital.
pub static NAME: LazyLock<Regex> =
    LazyLock::new(|| constant(r"^\p{Lu}[\p{L}.'’-]*(?: [\p{L}.'’-]+){0,3} \p{Lu}[\p{L}.'’-]*$"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_hold_names() {
        for (field, want) in [
            ("By Jane Doe, John Roe and Ann Poe", &["Jane Doe", "John Roe", "Ann Poe"][..]),
            ("https://social.example/jane", &[]),
            ("记者 何田", &["何田"]),
            ("何田、李云", &["何田", "李云"]),
            ("By | Jane Doe | Graphic designer", &["Jane Doe"]),
            ("Jane DoeJane Doe", &["Jane Doe"]),
            ("Jane Doe Published 4 March", &["Jane Doe"]),
            ("Von Jo\u{ad}hanna Roe am 4. März 2024", &["Johanna Roe"]),
            ("순천, 광양 김하늘 기자 sky@news.example", &["김하늘"]),
            ("박바다 선임기자, 이가람 기자", &["박바다", "이가람"]),
            ("Jane \"River\" Doe", &["Jane \"River\" Doe"]),
            ("news-example.com, Coast Town, Far Land", &[]),
            ("LN", &[]),
            ("Coast-Redaktion", &[]),
            ("View author archive", &[]),
            ("March", &[]),
            ("April", &["April"]),
            ("", &[]),
        ] {
            assert_eq!(names(field), want, "{field}");
        }
    }
    #[test]
    fn agencies_and_staffs_have_names() {
        for (field, want) in [
            ("By The Coast Press", Some("The Coast Press")),
            ("Coast Staff March 4, 2024", Some("Coast Staff")),
            ("LN", Some("LN")),
            ("AFP Küste", Some("AFP Küste")),
            ("dpa", Some("dpa")),
            ("team", None),
            ("https://social.example/press", None),
            ("Jane Doe", None),
            ("die Redaktion", None),
            ("Autor*innen", None),
        ] {
            assert_eq!(collective(field).as_deref(), want, "{field}");
        }
    }

    #[test]
    fn a_name_alone_is_a_signature() {
        for (line, want) in
            [("Jane Doe", true), ("Lê Thu Hà", true), ("Jane", false), ("Read More Stories Of The Coast Here", false)]
        {
            assert_eq!(!alone(line).is_empty(), want, "{line}");
        }
    }
}
