//! Links to a next page: of a list, or of an article that is spread over several.

/// What such a link says, in lower case, without the arrows around it.
const NEXT: &[&str] = &[
    "next",
    "next page",
    "go to next page",
    "continue to next page",
    "continued on next page",
    "continue reading on next page",
    "older",
    "older posts",
    "older entries",
    "older articles",
    "下一页",
    "下一頁",
    "下页",
    "下頁",
    "后一页",
    "余下全文",
    "次へ",
    "次のページ",
    "次ページ",
    "次のページへ",
    "다음",
    "다음 페이지",
    "다음페이지",
    "nächste seite",
    "weiter",
    "suivant",
    "page suivante",
    "siguiente",
    "página siguiente",
    "próxima",
    "próxima página",
    "successiva",
    "pagina successiva",
    "volgende",
    "volgende pagina",
    "następna",
    "następna strona",
    "далее",
    "следующая",
    "следующая страница",
    "sonraki",
    "sonraki sayfa",
];

/// Whether a link with this text, and this `rel`, leads to the next page.
pub fn is_next(text: &str, rel: &str) -> bool {
    if rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("next")) {
        return true;
    }
    let words = text.trim_matches(|c: char| !c.is_alphanumeric());
    // No entry of the table is longer.
    words.len() <= 48 && NEXT.contains(&words.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_told_from_what_comes_next() {
        for (text, rel, want) in [
            ("Next", "", true),
            ("« Older posts", "", true),
            ("下一页 >", "", true),
            ("[下一頁]", "", true),
            ("次へ →", "", true),
            ("NÄCHSTE SEITE", "", true),
            ("2", "nofollow next", true),
            ("Next: what the council will do about the bridge", "", false),
            ("The next page in the story of the mill", "", false),
            ("上一页", "", false),
            ("»", "", false),
            ("", "prev", false),
        ] {
            assert_eq!(is_next(text, rel), want, "{text} {rel}");
        }
    }
}
