//! Media types: what a `Content-Type` says, and what the first bytes show.

/// The families that decide what is done with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// HTML or XHTML.
    Html,
    /// XML of any sort: feeds and sitemaps are told apart by content.
    Xml,
    /// A style sheet.
    Css,
    /// A script.
    Script,
    /// JSON of any sort.
    Json,
    /// A picture.
    Image,
    /// Text that is none of these.
    Text,
    /// Anything else, and nothing.
    Other,
}

impl Kind {
    /// The family of a body. The first bytes (512 are plenty) overrule the label where servers are known to mislabel:
    /// pictures under any type, feeds sent as HTML, anything sent as `text/plain`, as `application/octet-stream` or
    /// without a type.
    pub fn of(content_type: Option<&str>, first_bytes: &[u8]) -> Kind {
        let labelled = content_type.map(essence).map_or(Kind::Other, |essence| Kind::labelled(&essence));
        let shown = Kind::shown(first_bytes);
        match (labelled, shown) {
            (_, Some(Kind::Image)) if !is_svg(first_bytes) => Kind::Image,
            (Kind::Text | Kind::Other, Some(shown)) => shown,
            (Kind::Html, Some(Kind::Xml)) if is_feed(first_bytes) => Kind::Xml,
            _ => labelled,
        }
    }

    fn labelled(essence: &str) -> Kind {
        match essence {
            "text/html" | "application/xhtml+xml" => Kind::Html,
            "text/css" => Kind::Css,
            "application/json" | "text/json" => Kind::Json,
            "text/xml" | "application/xml" => Kind::Xml,
            _ if essence.starts_with("image/") => Kind::Image,
            _ if essence.ends_with("+xml") => Kind::Xml,
            _ if essence.ends_with("+json") => Kind::Json,
            _ if essence.ends_with("javascript") || essence.ends_with("ecmascript") => Kind::Script,
            _ if essence.starts_with("text/") => Kind::Text,
            _ => Kind::Other,
        }
    }

    fn shown(bytes: &[u8]) -> Option<Kind> {
        let start = markup(bytes);
        if picture(bytes).is_some() {
            Some(Kind::Image)
        } else if ["<!doctype html", "<html", "<head", "<body", "<script", "<div", "<title"]
            .iter()
            .any(|mark| starts_with(start, mark))
        {
            Some(Kind::Html)
        } else if starts_with(start, "<?xml") || is_feed(bytes) {
            Some(Kind::Xml)
        } else {
            None
        }
    }
}

/// Type and subtype in lower case, without parameters.
pub fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

/// The `charset` parameter, quotes removed, as written otherwise.
pub fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty()).then_some(value)
    })
}

/// The media type of a picture by its first bytes (MIME Sniffing, 6.1, with AVIF and SVG); none when it is no picture.
pub fn picture(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', b'f' | b's', ..] => Some("image/avif"),
        // The size, two reserved words of zeros, and the offset of the pixels.
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Some("image/bmp"),
        [0, 0, 1, 0, count, 0, ..] if *count > 0 => Some("image/x-icon"),
        _ if is_svg(bytes) => Some("image/svg+xml"),
        _ => None,
    }
}

/// An SVG document: its root may stand behind a prolog, a doctype and comments, all of it near the start.
fn is_svg(bytes: &[u8]) -> bool {
    let start = markup(bytes);
    starts_with(start, "<svg")
        || (["<?xml", "<!doctype svg", "<!--"].iter().any(|mark| starts_with(start, mark)) && contains(start, b"<svg"))
}

fn is_feed(bytes: &[u8]) -> bool {
    let start = markup(bytes);
    let roots = ["<rss", "<feed", "<rdf:rdf", "<urlset", "<sitemapindex", "<opml"];
    roots.iter().any(|root| starts_with(start, root))
        || (starts_with(start, "<?xml") && roots.iter().any(|root| contains(start, root.as_bytes())))
}

/// The first 512 bytes from where markup can begin.
fn markup(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    &bytes[..bytes.len().min(512)]
}

fn starts_with(bytes: &[u8], mark: &str) -> bool {
    bytes.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes()))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_first_bytes_decide_together() {
        for (label, bytes, want) in [
            (Some("Text/HTML; charset=gbk"), &b""[..], Kind::Html),
            (Some("text/html"), b"<p>", Kind::Html),
            (Some("text/html"), b"\xff\xd8\xff\xe0", Kind::Image),
            (Some("text/html"), b"<?xml version='1.0'?>\n<rss version='2.0'>", Kind::Xml),
            (Some("text/html"), b"<?xml version='1.0'?><html xmlns='x'>", Kind::Html),
            (Some("image/jpeg"), b"<!DOCTYPE html>", Kind::Image),
            (Some("application/rss+xml"), b"", Kind::Xml),
            (Some("application/ld+json"), b"", Kind::Json),
            (Some("application/x-javascript"), b"", Kind::Script),
            (Some("text/css"), b"", Kind::Css),
            (Some("text/plain"), b" \n<!doctype HTML>", Kind::Html),
            (Some("text/plain"), b"plain", Kind::Text),
            (None, b"\xef\xbb\xbf<html>", Kind::Html),
            (None, b"", Kind::Other),
        ] {
            assert_eq!(Kind::of(label, bytes), want, "{label:?} {bytes:?}");
        }
    }

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        for (bytes, want) in [
            (&b"\xff\xd8\xff\xdb"[..], Some("image/jpeg")),
            (b"\x89PNG\r\n\x1a\n\0", Some("image/png")),
            (b"GIF89a\x01\0", Some("image/gif")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"\0\0\0\x20ftypavif", Some("image/avif")),
            (b"BM\x36\0\0\0\0\0\0\0\x36", Some("image/bmp")),
            (b"\0\0\x01\0\x01\0\x10\x10", Some("image/x-icon")),
            (b"<?xml version='1.0'?><!-- x --><svg>", Some("image/svg+xml")),
            (b"<html><svg>", None),
            (b"BM", None),
            (b"", None),
        ] {
            assert_eq!(picture(bytes), want, "{bytes:?}");
        }
    }

    #[test]
    fn parameters_are_read_with_their_quotes() {
        assert_eq!(essence(" Text/HTML ;charset=x"), "text/html");
        assert_eq!(charset("text/html; v=1; Charset=\"GB2312\""), Some("GB2312"));
        assert_eq!(charset("text/html; charset="), None);
        assert_eq!(charset("charset=utf-8"), None);
    }
}
