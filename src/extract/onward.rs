//! Links that a list is left by: to its own next page.

/// What such a link says, in lower case, without the arrows around it.
const NEXT: &[&str] = &[
    "next",
    "next page",
    "older",
    "older posts",
    "older entries",
    "older articles",
    "下一页",
    "下一頁",
    "下页",
    "后一页",
    "次へ",
    "次のページ",
    "다음",
    "다음 페이지",
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
pub(super) fn is_next(text: &str, rel: &str) -> bool {
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
