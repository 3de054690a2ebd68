//! The language of a text.

use whatlang::{Detector, Lang};

/// Characters of the text that are judged; more would say no more.
const LONGEST: usize = 4000;

/// Letters from which a text says what language it is in.
const ENOUGH: usize = 20;

/// The language of a text, from the text before the markup; `markup` is the page's `lang`, `claimed` the seed's. Where
/// text and markup agree the markup's tag stands, since it says more: `zh-TW`.
pub fn language(text: &str, markup: Option<&str>, claimed: Option<&str>) -> Option<String> {
    let tag = markup.or(claimed).map(|tag| tag.trim().replace('_', "-")).filter(|tag| is_tag(tag));
    let primary = tag.as_deref().and_then(|tag| tag.split('-').next()).map(str::to_ascii_lowercase);
    let shown = by_script(text).map(|code| (code, true)).or_else(|| by_trigrams(text));
    match shown {
        Some((shown, sure)) if primary.as_deref() != Some(shown) => {
            let is_same = primary.as_deref().is_some_and(|primary| is_near(shown, primary));
            if is_same || !sure && tag.is_some() { tag } else { Some(shown.to_owned()) }
        }
        _ => tag,
    }
}

/// Languages that only their script tells, by the share of letters.
fn by_script(text: &str) -> Option<&'static str> {
    let (mut han, mut kana, mut hangul, mut letters) = (0usize, 0usize, 0usize, 0usize);
    for c in text.chars().take(20 * LONGEST).filter(|c| c.is_alphabetic()) {
        letters += 1;
        match c {
            '\u{3040}'..='\u{30ff}' => kana += 1,
            '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}' => han += 1,
            '\u{ac00}'..='\u{d7af}' => hangul += 1,
            _ => {}
        }
    }
    let east = han + kana + hangul;
    match () {
        () if letters < 20 || east * 5 < letters => None,
        () if hangul * 2 >= east => Some("ko"),
        () if kana * 20 >= east => Some("ja"),
        () => Some("zh"),
    }
}

/// The language that the text's trigrams are most like, and whether that is sure.
fn by_trigrams(text: &str) -> Option<(&'static str, bool)> {
    // The middle of a text is its author's; the beginning may be a menu.
    let letters = text.chars().filter(|c| c.is_alphabetic()).take(LONGEST).count();
    let all = text.char_indices();
    let count = text.chars().count();
    let start = all.clone().nth(count.saturating_sub(LONGEST) / 2).map_or(0, |(at, _)| at);
    let part = &text[start..];
    let end = part.char_indices().nth(LONGEST).map_or(part.len(), |(at, _)| at);
    let found = Detector::new().detect(&part[..end]).filter(|_| letters >= ENOUGH)?;
    let sure = found.is_reliable() && letters >= 6 * ENOUGH;
    code(found.lang()).map(|code| (code, sure))
}

/// Neighbours that trigrams cannot tell apart: the first is found where the second is said.
fn is_near(found: &str, said: &str) -> bool {
    const NEAR: [(&str, &[&str]); 8] = [
        ("nb", &["no", "nn", "da"]),
        ("da", &["no", "nb", "nn", "kl", "fo"]),
        ("id", &["ms"]),
        ("hr", &["sr", "bs", "sh"]),
        ("sr", &["hr", "bs", "sh"]),
        ("pt", &["gl"]),
        ("es", &["gl", "ca", "ast"]),
        ("ru", &["be", "bg"]),
    ];
    NEAR.iter().any(|(one, others)| *one == found && others.contains(&said))
}

/// The tag of a language, where the detector is to be believed in it.
fn code(lang: Lang) -> Option<&'static str> {
    Some(match lang {
        Lang::Eng => "en",
        Lang::Rus => "ru",
        Lang::Spa => "es",
        Lang::Por => "pt",
        Lang::Ita => "it",
        Lang::Fra => "fr",
        Lang::Deu => "de",
        Lang::Ukr => "uk",
        Lang::Nld => "nl",
        Lang::Pol => "pl",
        Lang::Ara => "ar",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        Lang::Ben => "bn",
        Lang::Tur => "tr",
        Lang::Vie => "vi",
        Lang::Tha => "th",
        Lang::Ell => "el",
        Lang::Swe => "sv",
        Lang::Dan => "da",
        Lang::Nob => "nb",
        Lang::Fin => "fi",
        Lang::Hun => "hu",
        Lang::Ces => "cs",
        Lang::Slk => "sk",
        Lang::Ron => "ro",
        Lang::Bul => "bg",
        Lang::Hrv => "hr",
        Lang::Srp => "sr",
        Lang::Slv => "sl",
        Lang::Lit => "lt",
        Lang::Lav => "lv",
        Lang::Est => "et",
        Lang::Cat => "ca",
        Lang::Ind => "id",
        Lang::Pes => "fa",
        Lang::Urd => "ur",
        Lang::Tam => "ta",
        Lang::Tel => "te",
        Lang::Mal => "ml",
        Lang::Kan => "kn",
        Lang::Mar => "mr",
        Lang::Guj => "gu",
        Lang::Pan => "pa",
        Lang::Kat => "ka",
        Lang::Hye => "hy",
        Lang::Bel => "be",
        Lang::Mkd => "mk",
        Lang::Afr => "af",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Cmn => "zh",
        _ => return None,
    })
}

fn is_tag(tag: &str) -> bool {
    let primary = tag.split('-').next().unwrap_or("");
    let short = tag.len() <= 35 && (2..=3).contains(&primary.len());
    short && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
