//! What the line beside a picture says of it: that it is a code to be scanned, the sign of a source, a teaser's.

use crate::extract::page::tree::Block;
use crate::extract::pictures::images::Picture;

/// Characters of a line that asks to scan a code; a longer one tells of codes.
const SCAN: usize = 90;

/// What readers are asked to do with a code, in Chinese, Japanese and Korean.
const SCANS: &[&str] = &[
    "扫描",
    "扫码",
    "扫一扫",
    "扫下",
    "扫上",
    "掃描",
    "掃碼",
    "掃一掃",
    "长按",
    "長按",
    "識別",
    "识别二",
    "読み取",
    "スキャン",
    "스캔",
];

/// What is scanned, and what for.
const CODES: &[&str] = &["二维码", "二維碼", "关注", "關注", "公众号", "公眾號", "下载", "下載", "QRコード", "QR코드"];

/// Characters of a line that names a source.
const SOURCE: usize = 40;

/// How such a line begins, in Chinese, Japanese, Korean and English.
const SOURCES: &[&str] = &["来源", "來源", "出典", "提供元", "출처", "Source:"];

/// The line takes the picture away from the article: it asks to scan it, names the source that it links to, or is the
/// link of a teaser that it goes with.
pub fn takes(line: &Block, picture: &Picture) -> bool {
    let is_link = line.links > 0 && line.linked * 10 >= line.weight * 9;
    line.heading == 0 && asks_to_scan(&line.text)
        || picture.leads_away && names_source(&line.text)
        || is_link && !picture.figure && repeats(picture.alt(), &line.text)
}

/// «Scan the code below and follow us».
fn asks_to_scan(line: &str) -> bool {
    let says = |words: &[&str]| words.iter().any(|word| line.contains(word));
    says(SCANS) && says(CODES) && line.chars().count() <= SCAN
}

/// «Source: The Daily».
fn names_source(line: &str) -> bool {
    SOURCES.iter().any(|word| line.starts_with(word)) && line.chars().count() <= SOURCE
}

/// The alternative text says what the line says, or the beginning of it.
fn repeats(alt: Option<&str>, line: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let alt = alt.map(letters).unwrap_or_default();
    alt.chars().count() >= 4 && letters(line).starts_with(&alt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_ask_to_scan_are_told_from_lines_about_codes() {
        for (line, want) in [
            ("扫码关注我们", true),
            ("微信扫一扫，下载客户端", true),
            ("長按圖片識別二維碼", true),
            ("QRコードを読み取ってください", true),
            ("扫黑行动引发关注", false),
            ("人脸识别受到关注", false),
            ("一键打开微信扫一扫", false),
            ("The code is scanned", false),
        ] {
            assert_eq!(asks_to_scan(line), want, "{line}");
        }
        assert!(!asks_to_scan(&"扫描二维码的人越来越多。".repeat(9)), "a paragraph");
    }

    #[test]
    fn only_what_begins_with_the_name_of_a_link_repeats_it() {
        for (alt, line, want) in [
            (Some("春天的鸟"), "“春天的鸟”回来了", true),
            (Some("The birds"), "The birds are back", true),
            (Some("鸟"), "鸟回来了", false),
            (Some(""), "鸟回来了", false),
            (None, "鸟回来了", false),
            (Some("The rivers"), "The birds are back", false),
        ] {
            assert_eq!(repeats(alt, line), want, "{alt:?} {line}");
        }
    }
}
