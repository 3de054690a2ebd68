//! Larger forms of a picture, guessed from how image services write sizes into addresses. They are extra tries behind
//! the page's own address, never instead of it, and never for an address that is signed or opaque.

use crate::web::expiry::is_signed;
use crate::web::url::WebUrl;

/// Where in an address the size stands.
enum Cut {
    /// The query goes where it begins so.
    Query(&'static str),
    /// These parameters go.
    Parameters(&'static [&'static str]),
    /// From this mark behind a picture's ending, the rest of the path goes.
    Behind(&'static str),
    /// The path segment before the last becomes the second where it is one of the first.
    Segment(&'static [&'static str], &'static str),
    /// The last segment becomes the second where it is a number.
    Number(&'static str),
    /// `-300x200` before the ending goes.
    Sides,
    /// `/thumb/` goes, and the last segment, which begins with a width: `/thumb/a/ab/Boat.jpg/300px-Boat.jpg`.
    Thumb,
    /// One of the first before the ending becomes the second.
    Stem(&'static [&'static str], &'static str),
    /// The value of a parameter becomes another.
    Value(&'static str, &'static str),
}

/// Host («*» is any, «.name» a name under it), the cut, where it was learnt.
const RULES: &[(&str, Cut, &str)] = &[
    ("*", Cut::Query("x-oss-process="), "Aliyun OSS: image processing parameters"),
    ("*", Cut::Query("imageMogr2/"), "Qiniu and Tencent COS: imageMogr2"),
    ("*", Cut::Query("imageView2/"), "Qiniu: imageView2"),
    ("*", Cut::Query("imageView&"), "Netease NOS: imageView"),
    ("*", Cut::Query("imageslim"), "Qiniu: imageslim"),
    ("*", Cut::Query("tp=webp"), "Tencent COS: format"),
    (".qpic.cn", Cut::Number("0"), "WeChat: the last segment is a width, 0 the full size"),
    (".sinaimg.cn", Cut::Segment(SINA, "large"), "Sina: the first segment is a size"),
    (".zhimg.com", Cut::Stem(&["_b", "_hd", "_720w", "_1440w", "_xl", "_l"], "_r"), "Zhihu: _r is the upload"),
    (".doubanio.com", Cut::Segment(&["s", "m", "small", "thumb"], "l"), "Douban: /view/photo/SIZE/public/"),
    ("pbs.twimg.com", Cut::Value("name", "orig"), "Twitter: name=orig is the upload"),
    ("*", Cut::Behind("@"), "Aliyun OSS styles (@!), hdslb (@1320w)"),
    ("*", Cut::Behind("!"), "Upyun: versions behind !"),
    ("*", Cut::Behind("_"), "portals on OSS: styles behind _"),
    ("*", Cut::Behind("-"), "Qiniu: styles behind -"),
    ("*", Cut::Behind(".thumb."), "Discuz!: thumbnails of attachments"),
    ("*", Cut::Thumb, "MediaWiki: thumbnails, Manual:Thumb.php"),
    ("*", Cut::Sides, "WordPress: intermediate sizes"),
    ("*", Cut::Parameters(SIDES), "imgix, Photon, dribbble and others: sizes as parameters"),
];

const SINA: &[&str] = &[
    "thumbnail",
    "thumb150",
    "thumb180",
    "thumb300",
    "bmiddle",
    "mw690",
    "mw1024",
    "mw2000",
    "orj360",
    "orj480",
    "small",
    "middle",
    "square",
];

const SIDES: &[&str] = &[
    "w",
    "h",
    "width",
    "height",
    "resize",
    "fit",
    "crop",
    "q",
    "quality",
    "compress",
    "format",
    "auto",
    "fm",
    "dpr",
    "strip",
    "vertical",
    "rect",
    "imwidth",
    "thumbnail",
];

const ENDINGS: &[&str] = &[".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".bmp"];

/// A larger form of the picture, when its address shows that there may be one.
pub fn larger(url: &WebUrl) -> Option<WebUrl> {
    if is_opaque(url) {
        return None;
    }
    let at_home = |host: &str| match host.strip_prefix('.') {
        _ if host == "*" => true,
        Some(name) => url.host().strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
        None => url.host() == host,
    };
    let forms = RULES.iter().filter(|(host, ..)| at_home(host)).filter_map(|(_, cut, _)| cut.apply(url));
    forms.into_iter().find(|form| form != url)
}

/// It is signed, expires, or is made by a service that knows no other form.
pub fn is_opaque(url: &WebUrl) -> bool {
    url.path().contains("~tplv") || is_signed(url)
}

impl Cut {
    fn apply(&self, url: &WebUrl) -> Option<WebUrl> {
        let (path, query) = (url.path(), url.query());
        let rebuilt = |path: &str, query: Option<&str>| {
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            WebUrl::parse(&format!("{}{path}{query}", url.origin())).ok()
        };
        let (folder, file) = path.rsplit_once('/')?;
        match self {
            Cut::Query(start) => query.filter(|query| query.starts_with(start)).and_then(|_| rebuilt(path, None)),
            Cut::Parameters(names) => {
                let pairs: Vec<&str> = query?.split('&').collect();
                let is_size = |pair: &&&str| names.contains(&pair.split('=').next().unwrap_or(""));
                let rest: Vec<&str> = pairs.iter().filter(|pair| !is_size(pair)).copied().collect();
                // Quality alone is no size.
                let has_size = pairs.iter().filter(is_size).any(|pair| pair.bytes().any(|byte| byte.is_ascii_digit()));
                let query = rest.join("&");
                has_size.then(|| rebuilt(path, Some(&*query).filter(|query| !query.is_empty())))?
            }
            Cut::Behind(mark) => {
                let lower = file.to_ascii_lowercase();
                let end = ENDINGS.iter().filter_map(|ending| {
                    let at = lower.find(&format!("{ending}{mark}"))?;
                    Some(at + ending.len())
                });
                let end = end.min()?;
                rebuilt(&format!("{folder}/{}", file.get(..end)?), query)
            }
            Cut::Segment(sizes, large) => {
                let mut segments: Vec<&str> = path.split('/').collect();
                let at = segments.iter().position(|segment| sizes.contains(segment))?;
                segments[at] = large;
                rebuilt(&segments.join("/"), query)
            }
            Cut::Number(large) => {
                file.bytes().all(|byte| byte.is_ascii_digit()).then(|| rebuilt(&format!("{folder}/{large}"), query))?
            }
            Cut::Sides => {
                let (stem, ending) = file.rsplit_once('.')?;
                let (whole, sides) = stem.rsplit_once('-')?;
                is_sides(sides).then(|| rebuilt(&format!("{folder}/{whole}.{ending}"), query))?
            }
            Cut::Thumb => {
                let (width, name) = file.split_once("px-")?;
                let is_thumb = width.bytes().all(|byte| byte.is_ascii_digit()) && !width.is_empty();
                let whole = folder.rsplit('/').next().filter(|whole| name.starts_with(whole))?;
                let above = folder.strip_suffix(whole)?.replacen("/thumb/", "/", 1);
                (is_thumb && folder.contains("/thumb/")).then(|| rebuilt(&format!("{above}{whole}"), query))?
            }
            Cut::Stem(sizes, large) => {
                let (stem, ending) = file.rsplit_once('.')?;
                let whole = sizes.iter().find_map(|size| stem.strip_suffix(size))?;
                rebuilt(&format!("{folder}/{whole}{large}.{ending}"), query)
            }
            Cut::Value(name, value) => {
                let pairs = query?.split('&').map(|pair| match pair.split_once('=') {
                    Some((one, _)) if one == *name => format!("{name}={value}"),
                    _ => pair.to_owned(),
                });
                rebuilt(path, Some(&pairs.collect::<Vec<_>>().join("&")))
            }
        }
    }
}

/// `300x200`
fn is_sides(text: &str) -> bool {
    let is_number = |text: &str| (2..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('x').is_some_and(|(width, height)| is_number(width) && is_number(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_in_the_address_is_a_hint_at_the_whole() {
        for (url, want) in [
            ("https://pic.example/1/a.jpg@!w1200", "https://pic.example/1/a.jpg"),
            ("https://pic.example/1/a.jpg@1320w_742h_!web.webp", "https://pic.example/1/a.jpg"),
            ("https://pic.example/1/a.jpg@s_2,w_820", "https://pic.example/1/a.jpg"),
            ("https://pic.example/1/a.png?x-oss-process=style/large", "https://pic.example/1/a.png"),
            ("https://pic.example/a.jpg?imageMogr2/thumbnail/2500x2500%3E", "https://pic.example/a.jpg"),
            ("https://pic.example/a.jpg?imageView2/1/w/555/h/595", "https://pic.example/a.jpg"),
            ("https://pic.example/a.jpg?imageView&thumbnail=650x2147483647", "https://pic.example/a.jpg"),
            ("https://pic.example/9/a.jpg_mw680water", "https://pic.example/9/a.jpg"),
            ("https://pic.example/9/a.jpg!w640", "https://pic.example/9/a.jpg"),
            ("https://pic.example/9/a.jpg-w600", "https://pic.example/9/a.jpg"),
            ("https://pic.example/9/a.jpg.thumb.jpg", "https://pic.example/9/a.jpg"),
            ("https://pic.example/up/a-300x200.jpg", "https://pic.example/up/a.jpg"),
            ("https://w.example/c/thumb/a/ab/Boat.svg/440px-Boat.svg.png", "https://w.example/c/a/ab/Boat.svg"),
            ("https://w.example/thumb/a/ab/Boat.jpg/440px-Boat.jpg", "https://w.example/a/ab/Boat.jpg"),
            ("https://pic.example/m/a.png?compress=1&resize=800x600", "https://pic.example/m/a.png"),
            ("https://pic.example/m/a.png?id=7&w=800", "https://pic.example/m/a.png?id=7"),
            ("https://mmbiz.qpic.cn/mmbiz_jpg/Ab/640?wx_fmt=jpeg", "https://mmbiz.qpic.cn/mmbiz_jpg/Ab/0?wx_fmt=jpeg"),
            ("https://wx1.sinaimg.cn/mw690/a.jpg", "https://wx1.sinaimg.cn/large/a.jpg"),
            ("https://pic1.zhimg.com/v2-a_b.jpg", "https://pic1.zhimg.com/v2-a_r.jpg"),
            (
                "https://pbs.twimg.com/media/a?format=jpg&name=small",
                "https://pbs.twimg.com/media/a?format=jpg&name=orig",
            ),
        ] {
            check(url, Some(want));
        }
    }

    #[test]
    fn what_is_signed_opaque_or_whole_has_no_other_form() {
        for url in [
            "https://pic.example/a.jpg",
            "https://pic.example/a.jpg?v=3",
            "https://pic.example/a.jpg?q=high",
            "https://p3.example/img/a~tplv-noop.image?w=100",
            "https://p3.example/img/a.jpg?x-expires=1&x-signature=ab&w=100",
            "https://b.s3.example/a.jpg?w=10&X-Amz-Expires=60&X-Amz-Signature=1",
            "https://pic.example/a_b.jpg",
            "https://pic.example/a-12.jpg",
            "https://w.example/thumb/a/440px-Boat.jpg",
            "https://w.example/a/Boat.jpg/440px-Boat.jpg",
        ] {
            check(url, None);
        }
    }

    fn check(url: &str, want: Option<&str>) {
        let found = larger(&WebUrl::parse(url).unwrap());
        assert_eq!(found.as_ref().map(WebUrl::as_str), want, "{url}");
    }
}
