//! What is never the original: files that stand in for a picture, services that answer with any, small matter.

use crate::extract::page::marks::words;
use crate::extract::page::tree::is_in;
use crate::extract::page::words::Words;
use crate::web::url::WebUrl;
use crate::web::wrapped;

/// Files that stand in for a picture until it is loaded, as lazy-loading scripts and themes name them.
static FILES: Words = Words::new(
    "\
    loading.gif loading.png loading.svg loading.jpg loading.webp blank.gif blank.png blank.jpg none.gif none.png \
    spacer.gif spacer.png pixel.gif pixel.png 1x1.gif 1x1.png transparent.gif transparent.png placeholder.gif \
    placeholder.png placeholder.jpg placeholder.svg placeholder.webp grey.gif gray.gif grey.png gray.png lazy.gif \
    lazy.png lazyload.gif lazyload.png lazy-load.gif s.gif empty.gif empty.png dot.gif clear.gif trans.gif white.gif \
    img-placeholder.png image-placeholder.png default-placeholder.png noimage.gif no-image.png fallback.gif undefined",
);

/// Services that answer with some picture: what they give is never the article's.
static FILLERS: Words = Words::new(
    "\
    picsum.photos placehold.it placehold.co via.placeholder.com dummyimage.com lorempixel.com placekitten.com \
    placeimg.com loremflickr.com placeholder.com fakeimg.pl source.unsplash.com unsplash.it",
);

/// Never the original: it stands in for the picture, or for any picture.
pub fn is_stand_in(url: &WebUrl) -> bool {
    let file = url.path().rsplit('/').next().unwrap_or("").to_ascii_lowercase();
    FILES.has(&file)
        || is_named_so(&file)
        || FILLERS.has(url.host())
        || wrapped::unwrapped(url).last().is_some_and(|inner| FILLERS.has(inner.host()))
}

/// `index-transparent_h-3.gif`, `theme-placeholder.png`: formats that photographs do not come in, or words they never
/// have.
fn is_named_so(file: &str) -> bool {
    let (stem, ending) = file.rsplit_once('.').unwrap_or((file, ""));
    stem.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| match word {
        "placeholder" | "placehold" => true,
        "transparent" | "loading" | "blank" | "loader" | "spinner" | "spacer" | "lazyload" => {
            matches!(ending, "gif" | "svg")
        }
        _ => false,
    })
}

/// Words of an element's class or id that make its picture a decoration, whatever stands around it.
static DECORATIONS: Words = Words::new(
    "\
    emoji emoticon smiley smilies avatar gravatar favicon logo sitelogo icon icons ico sprite pixel tracking beacon \
    badge flag spinner",
);

/// By the words of its class and id the picture shows a face, a sign or nothing, and never what the article is about.
pub fn is_decoration(marks: &str) -> bool {
    marks.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| DECORATIONS.has_in_any_case(word))
}

/// Parts of a path that only pictures around articles have.
const AROUND: &str = "\
    /avatar/ /avatars/ /emoji/ /emojis/ /smilies/ /smiley/ /emoticons/ /icons/ /icon/ /logos/ /logo/ /favicon/ \
    /sprites/ /badges/ /flags/ /gravatar/ /twemoji/ /wp-smiley/ /static/image/smiley/ /author/ /authors/ /share/ \
    /sharing/ /newsletter/ /newsletters/ /qrcode/ /qrcodes/ /appstore/ /touxiang/";

/// Words of a file's name that say the same: signs, faces, and codes to be scanned, in English and in Pinyin.
const SIGNS: &str = "\
    logo favicon avatar icon spinner qr qrcode qrcodes ewm erweima playstore googleplay appstore touxiang";

/// Names of files that are buttons to share on a network, or to follow there.
const NETWORKS: &str = "\
    facebook twitter linkedin pinterest whatsapp telegram instagram youtube reddit tumblr kakaotalk weibo wechat weixin \
    qq qzone pengyouquan douban renren rss";

/// What the alternative text of a code to be scanned or of a sign at a shop for programs says.
const SIGN_ALTS: &[&str] =
    &["qr code", "qr-code", "qrcode", "二维码", "二維碼", "扫码", "掃碼", "app store", "google play", "qrコード"];

/// By its alternative text the picture is of that sort. Captions of real pictures are longer.
pub fn is_sign(alt: &str) -> bool {
    let alt = alt.to_lowercase();
    alt.chars().count() <= 40 && SIGN_ALTS.iter().any(|sign| alt.contains(sign))
}

/// By its address the picture is of that sort.
pub fn is_around(url: &WebUrl) -> bool {
    let path = url.path().to_ascii_lowercase();
    let file = url.path().rsplit('/').next().unwrap_or("");
    let stem = file.split('.').next().unwrap_or("");
    AROUND.split_ascii_whitespace().any(|part| path.contains(part))
        || words(stem).any(|word| is_in(SIGNS, &word))
        || is_in(NETWORKS, &stem.to_ascii_lowercase())
        || is_in("s.w.org secure.gravatar.com www.gravatar.com gravatar.com", url.host())
        || is_counter(url)
}

/// Hosts whose pictures count readers and show nothing, as their own documentation names them (2026).
static COUNTERS: Words = Words::new(
    "sb.scorecardresearch.com b.scorecardresearch.com pixel.quantserve.com www.google-analytics.com \
     stats.g.doubleclick.net ad.doubleclick.net googleads.g.doubleclick.net www.googletagmanager.com pixel.wp.com \
     stats.wp.com px.ads.linkedin.com ib.adnxs.com bat.bing.com mc.yandex.ru hm.baidu.com counter.yadro.ru \
     analytics.twitter.com",
);

fn is_counter(url: &WebUrl) -> bool {
    COUNTERS.has(url.host())
        || url.domain() == "facebook.com" && url.path() == "/tr"
        || matches!(url.domain(), "vgwort.de" | "ivwbox.de")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_signs_are_not_the_article_s() {
        for (url, want) in [
            ("https://www.facebook.com/tr?id=1&noscript=1", true),
            ("https://sb.scorecardresearch.com/p?c1=2&cv=2.0", true),
            ("https://vg01.met.vgwort.de/na/0a1b", true),
            ("https://p.example/img/logo.png", true),
            ("https://p.example/tr", false),
            ("https://www.facebook.com/photos/tr.jpg", false),
            ("https://p.example/2024/catalogo.jpg", false),
        ] {
            assert_eq!(is_around(&WebUrl::parse(url).unwrap()), want, "{url}");
        }
    }
}
