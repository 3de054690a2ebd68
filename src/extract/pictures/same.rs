//! When two addresses are one picture in two sizes or formats: what is left of an address without them.

use percent_encoding::percent_decode_str;

use crate::extract::page::words::Words;
use crate::web::url::WebUrl;
use crate::web::wrapped;

/// Words of a path that name a size or a treatment of the picture.
static TREATMENTS: Words = Words::new(
    "\
    thumb thumbs thumbnail max fit thumbnails small medium large full original originals resize resizer crop fit-in smart unsafe \
    webp avif jpg jpeg png format quality width height scale scaled fill image fetch upload",
);

/// Words behind a file's name that say how large it is.
static SIZES: Words = Words::new("scaled thumb thumbnail small medium large");

/// Parameters that ask for a size, a format or a treatment, or sign such a wish.
static PARAMETERS: Words = Words::new(
    "\
    w h s q width height resize fit crop quality compress format auto fm dpr strip rect imwidth impolicy sig sign \
    signature v ver version itok ts ssl type size zoom cs scale thumbnail smart op downsize x-oss-process ixlib ixid \
    focalpoint trim bg-color blur gravity ratio sharp usm im output-quality output-format fallback wx_fmt tp wxfrom \
    wx_lazy wx_co source utm_source utm_medium utm_campaign utm_content utm_term fbclid",
);

/// What all sizes of one picture have in common. Pictures of one site with one such name are the same picture.
pub fn name(url: &WebUrl) -> String {
    let inner = wrapped::unwrapped(url).pop();
    let url = inner.as_ref().unwrap_or(url);
    let path = percent_decode_str(url.path()).decode_utf8_lossy();
    // Image services put the address of the whole picture at the end of theirs.
    let embedded = path.rfind("/https:/").or_else(|| path.rfind("/http:/")).map(|at| &path[at..]);
    let segments: Vec<&str> = embedded.unwrap_or(&path).split('/').filter(|part| !part.is_empty()).collect();
    let Some((file, folders)) = segments.split_last() else { return url.as_str().to_owned() };
    let mut name = if embedded.is_some() { String::new() } else { url.domain().to_owned() };
    let mut treated = false;
    for (at, folder) in folders.iter().enumerate() {
        // A signature stands before the size it signs.
        let signs = folders.get(at + 1).is_some_and(|next| is_size(next)) && folder.len() > 20;
        // `max/800` and `fit/c/96/96`
        let number = folder.len() <= 4 && folder.bytes().all(|byte| byte.is_ascii_digit());
        treated = TREATMENTS.has_in_any_case(folder) || treated && (number || *folder == "c");
        if !signs && !is_size(folder) && !treated {
            name.push('/');
            name.push_str(folder);
        }
    }
    name.push('/');
    name.push_str(stem(file));
    if let Some(query) = url.query() {
        for pair in query.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let process = value.is_empty() && (key.starts_with("image") || key.starts_with('/'));
            if !process && !PARAMETERS.has_in_any_case(key) {
                name.push('&');
                name.push_str(pair);
            }
        }
    }
    name
}

/// A file's name without its endings, and without the sizes before and behind them.
fn stem(file: &str) -> &str {
    let lower = file.to_ascii_lowercase();
    let endings = [".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".bmp"];
    let end = endings.iter().filter_map(|ending| lower.find(ending)).min();
    let mut stem = end.and_then(|end| file.get(..end)).filter(|stem| !stem.is_empty()).unwrap_or(file);
    // `300px-boat`, as wikis name their thumbnails
    if let Some((width, whole)) = stem.split_once("px-")
        && !whole.is_empty()
        && width.bytes().all(|byte| byte.is_ascii_digit())
    {
        stem = whole;
    }
    while let Some((whole, last)) = stem.rsplit_once(['-', '_', '@', '.', ',']) {
        let is_treated = is_size(last) || SIZES.has_in_any_case(last);
        if !is_treated || whole.is_empty() {
            break;
        }
        stem = whole;
    }
    stem
}

/// `300x200`, `w300`, `640w`, `w_300,h_200`, `rs:fit:300`, `crop/…` but not a bare number.
pub fn is_size(part: &str) -> bool {
    let lower = part.to_ascii_lowercase();
    let bytes = lower.as_bytes();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits < 2 || lower.len() > 80 {
        return false;
    }
    let is_option = |option: &str| {
        let (key, value) = option.split_once(['_', ':', '=', '-']).unwrap_or((option, ""));
        key.len() <= 8 && !value.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    if lower.contains(',') && lower.split(',').all(is_option) || lower.starts_with("filters:") {
        return true;
    }
    // `fill-1200x650`
    let bare = lower.rsplit_once('-').filter(|(word, _)| TREATMENTS.has(word)).map_or(&*lower, |(_, rest)| rest);
    sides(bare).is_some()
}

/// The width and height that a word names; 0 where it leaves one open.
pub fn sides(word: &str) -> Option<(u32, u32)> {
    let word = word.trim_end_matches("px");
    let number = |text: &str| match text {
        "" => Some(0),
        _ if text.len() <= 4 => text.parse::<u32>().ok(),
        _ => None,
    };
    if let Some((width, height)) = word.split_once('x') {
        let width = width.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let height = height.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        return number(width).zip(number(height)).filter(|(width, height)| width + height >= 10);
    }
    let rest = word.strip_prefix("w_").or_else(|| word.strip_prefix('w')).or_else(|| word.strip_suffix('w'));
    if let Some((width, height)) = rest.and_then(|rest| rest.split_once('h')) {
        return number(width).zip(number(height)).filter(|(width, _)| *width >= 10);
    }
    let rest = rest.filter(|rest| !rest.is_empty())?;
    number(rest).filter(|width| *width >= 10).map(|width| (width, 0))
}

/// The width that an address asks for, where it shows.
pub fn width(url: &WebUrl) -> Option<u32> {
    let query = url.query().unwrap_or("");
    let named = query.split('&').filter_map(|pair| pair.split_once('=')).find_map(|(key, value)| {
        let first = value.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("");
        matches!(key, "w" | "width" | "imwidth" | "resize" | "wid").then(|| first.parse().ok())?
    });
    // imageView2/1/w/555 and imageMogr2/thumbnail/750x
    let processed = || {
        let parts: Vec<&str> = query.split('/').collect();
        let wide = parts.windows(2).find(|pair| pair[0] == "w").and_then(|pair| pair[1].parse().ok());
        wide.or_else(|| parts.iter().find_map(|part| sides(part)).map(|(width, _)| width))
    };
    let in_path = || {
        let of = |part: &str| sides(part.split('.').next().unwrap_or(""));
        let parts = url.path().rsplit(['/', '-', '@', '!', ',']).take(12);
        parts.flat_map(|part| std::iter::once(part).chain(part.rsplit('_'))).find_map(of).map(|(width, _)| width)
    };
    named.or_else(processed).or_else(in_path).filter(|width| *width > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_formats_of_one_picture_have_one_name() {
        for (one, other) in [
            ("https://p.example/u/a-300x200.jpg", "https://p.example/u/a.webp"),
            ("https://p1.pic.example/u/a.jpg", "http://p2.pic.example/u/a.jpg?w=900&h=600"),
            ("https://p.example/u/a.jpg@s_2,w_820,h_461", "https://p.example/u/a.jpg!w1200"),
            ("https://p.example/v2/53566e82-683b?w=100&s=ab", "https://p.example/v2/53566e82-683b?w=900&s=cd"),
            ("https://p.example/upload/w_300,c_fill/v1/boat.jpg", "https://p.example/upload/v1/boat.jpg"),
            ("https://p.example/a.jpg?imageView2/1/w/555", "https://p.example/a.jpg"),
            ("https://p.example/a.jpg?utm_source=x&utm_medium=y", "https://p.example/a.jpg"),
            ("https://p.example/thumb/a/B.jpg/220px-B.jpg", "https://p.example/thumb/a/B.jpg/440px-B.jpg"),
            (
                "https://r.example/1A1nCRdgz6pTqZaJ7oNeLdWlCnw=/500x0/https%3A%2F%2Fp.example%2Fx7",
                "https://r.example/cV6jyGJTAgRu4jJIr4Sx4CLZsoY=/600x0/https%3A%2F%2Fp.example%2Fx7",
            ),
        ] {
            let name = |url: &str| name(&WebUrl::parse(url).unwrap());
            assert_eq!(name(one), name(other), "{one} {other}");
        }
        for (one, other) in [
            ("https://p.example/2024/01.jpg", "https://p.example/2024/02.jpg"),
            ("https://p.example/a.jpg", "https://p.example/b/a.jpg"),
            ("https://p.example/get?id=1&w=9", "https://p.example/get?id=2&w=9"),
            ("https://p.example/img-1.jpg", "https://p.example/img-2.jpg"),
            ("https://one.example/a.jpg", "https://two.example.org/a.jpg"),
        ] {
            let name = |url: &str| name(&WebUrl::parse(url).unwrap());
            assert_ne!(name(one), name(other), "{one} {other}");
        }
    }

    #[test]
    fn the_width_is_read_off_an_address() {
        for (url, want) in [
            ("https://p.example/a.jpg?w=640&q=8", Some(640)),
            ("https://p.example/a-300x200.jpg", Some(300)),
            ("https://p.example/300x0/a.jpg", Some(300)),
            ("https://p.example/a.jpg?imageView2/1/w/555/h/595", Some(555)),
            ("https://p.example/w_80,c_fill/a.jpg", Some(80)),
            ("https://p.example/2024/03/a.jpg", None),
        ] {
            assert_eq!(width(&WebUrl::parse(url).unwrap()), want, "{url}");
        }
    }
}
