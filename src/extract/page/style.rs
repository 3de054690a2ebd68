//! What style sheets name: other sheets, fonts, pictures.

use cssparser::{ParseError, Parser, Token};

use crate::web::candidate::Role;

/// Every address in a sheet or in a `style` attribute with what it is for, in order, as written. `data:` and
/// references to a part of the same document are left out.
pub fn addresses(text: &str) -> Vec<(Role, String)> {
    let mut found = Vec::new();
    walk(&mut Parser::new(text), Place { role: Role::Image, strings: false }, &mut found);
    found.retain(|(_, url)| !url.is_empty() && !url.starts_with('#') && !starts_with(url, "data:"));
    found
}

/// Where in the sheet the walker is.
#[derive(Clone, Copy)]
struct Place {
    /// What a `url()` here is for.
    role: Role,
    /// A bare string is an address here: in `image-set()`, and inside the quotes of `url()`.
    strings: bool,
}

/// cssparser limits the nesting of blocks itself; what is deeper is skipped as one token.
fn walk(parser: &mut Parser<'_>, place: Place, found: &mut Vec<(Role, String)>) {
    // The at-rule whose prelude or block is being read.
    let mut rule = String::new();
    loop {
        let Ok(token) = parser.next() else { return };
        let inside = match token {
            Token::AtKeyword(name) => {
                rule = name.to_ascii_lowercase();
                continue;
            }
            Token::Semicolon => {
                rule.clear();
                continue;
            }
            Token::UnquotedUrl(url) => {
                add(&rule, place.role, url, found);
                continue;
            }
            Token::QuotedString(url) if place.strings || rule == "import" => {
                add(&rule, place.role, url, found);
                continue;
            }
            Token::Function(name) => match name.to_ascii_lowercase().as_str() {
                "url" | "src" if rule == "import" => Place { role: Role::Style, strings: true },
                "url" | "src" if rule == "namespace" => Place { strings: false, ..place },
                "url" | "src" | "image-set" | "-webkit-image-set" => Place { strings: true, ..place },
                _ => Place { strings: false, ..place },
            },
            Token::CurlyBracketBlock => {
                let role = if rule == "font-face" { Role::Font } else { place.role };
                rule.clear();
                Place { role, strings: false }
            }
            Token::ParenthesisBlock | Token::SquareBracketBlock => Place { strings: false, ..place },
            _ => continue,
        };
        // Too deep is the one error; the next token is then behind the block.
        let _ = parser.parse_nested_block(|parser| {
            walk(parser, inside, found);
            Ok::<_, ParseError<()>>(())
        });
    }
}

fn add(rule: &str, role: Role, url: &str, found: &mut Vec<(Role, String)>) {
    match rule {
        "import" => found.push((Role::Style, url.trim().to_owned())),
        "namespace" => {}
        _ => found.push((role, url.trim().to_owned())),
    }
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_found_wherever_a_sheet_may_name_them() {
        check("@import 'a.css' screen; @import url(b.css);@import url('c.css');", "a.css+ b.css+ c.css+");
        check("@charset 'x'; @namespace url(http://www.w3.org/1999/xhtml); p{}", "");
        check(
            "@font-face{font-family:'F';src:local('G'),url(f.woff2) format('woff2'),url( 'f.ttf' )}",
            "f.woff2* f.ttf*",
        );
        check("p{background:url(\"a b.png\") no-repeat,url( c.png )}", "a b.png c.png");
        check("@media print{p{content:'no.png';background:URL(d.png)}}", "d.png");
        check(
            "p{background-image:image-set('1.png' 1x, url(2.png) 2x, '3.avif' type('image/avif'))}",
            "1.png 2.png 3.avif",
        );
        check("/* url(no.png) */ p{fill:url(#part);background:url(data:image/png;base64,AAAA)}", "");
        check("background:url(a.png);color:red", "a.png");
        check("p{background:url(a.png", "a.png");
        check("", "");
    }

    proptest! {
        #[test]
        fn any_sheet_is_read(text in "[@a-z{}()\\[\\]'\";:/*\\\\ \n.u-]{0,80}") {
            let _ = addresses(&text);
        }
    }

    #[test]
    fn deep_nesting_ends() {
        for open in ["{", "(", "[", "a(", "@media{"] {
            let _ = addresses(&open.repeat(100_000));
        }
    }

    fn check(sheet: &str, want: &str) {
        let mark = |role: &Role| match role {
            Role::Style => "+",
            Role::Font => "*",
            _ => "",
        };
        let found: Vec<String> = addresses(sheet).iter().map(|(role, url)| format!("{url}{}", mark(role))).collect();
        assert_eq!(found.join(" "), want, "{sheet}");
    }
}
