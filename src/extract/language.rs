//! The language of a text.

/// The language of a text, by its script before the markup; `markup` is the page's `lang`, `claimed` the seed's.
pub(super) fn language(text: &str, markup: Option<&str>, claimed: Option<&str>) -> Option<String> {
    let (mut han, mut kana, mut hangul, mut cyrillic, mut letters) = (0usize, 0usize, 0usize, 0usize, 0usize);
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        letters += 1;
        match c {
            '\u{3040}'..='\u{30ff}' => kana += 1,
            '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}' => han += 1,
            '\u{ac00}'..='\u{d7af}' => hangul += 1,
            '\u{400}'..='\u{4ff}' => cyrillic += 1,
            _ => {}
        }
    }
    let east = han + kana + hangul;
    let shown = match () {
        () if letters < 20 => None,
        () if east * 5 >= letters && hangul * 2 >= east => Some("ko"),
        () if east * 5 >= letters && kana * 20 >= east => Some("ja"),
        () if east * 5 >= letters => Some("zh"),
        () if cyrillic * 2 >= letters => Some("ru"),
        () => None,
    };
    let tag = markup.or(claimed).map(|tag| tag.trim().replace('_', "-")).filter(|tag| is_tag(tag));
    let primary = tag.as_deref().and_then(|tag| tag.split('-').next()).map(str::to_ascii_lowercase);
    match shown {
        // Where they agree, the markup says more: zh-TW.
        Some(shown) if primary.as_deref() != Some(shown) && !(shown == "ru" && tag.is_some()) => Some(shown.to_owned()),
        _ => tag.or_else(|| by_words(text).map(str::to_owned)),
    }
}

fn is_tag(tag: &str) -> bool {
    let primary = tag.split('-').next().unwrap_or("");
    let short = tag.len() <= 35 && (2..=3).contains(&primary.len());
    short && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The language whose commonest words are most of what stands there.
fn by_words(text: &str) -> Option<&'static str> {
    const WORDS: [(&str, &[&str]); 4] = [
        ("en", &["the", "and", "of", "to", "is", "that", "for", "with", "was", "on"]),
        ("de", &["der", "die", "das", "und", "ist", "nicht", "mit", "ein", "eine", "von"]),
        ("fr", &["le", "les", "des", "et", "est", "une", "dans", "pour", "que", "du"]),
        ("es", &["el", "los", "las", "y", "es", "una", "por", "con", "para", "del"]),
    ];
    let words: Vec<String> = text.split(|c: char| !c.is_alphabetic()).take(2000).map(str::to_lowercase).collect();
    let count = |list: &[&str]| words.iter().filter(|word| list.contains(&word.as_str())).count();
    let (language, most) =
        WORDS.iter().map(|(language, list)| (*language, count(list))).max_by_key(|(_, count)| *count)?;
    (most >= 3).then_some(language)
}
