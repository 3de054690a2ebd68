//! What is never the original: files that stand in for a picture, services that answer with any, small matter.

use super::tree::is_in;
use super::words::Words;
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
pub(super) fn is_stand_in(url: &WebUrl) -> bool {
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
pub(super) fn is_decoration(marks: &str) -> bool {
    marks.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| DECORATIONS.has_in_any_case(word))
}

/// Parts of a path that only pictures around articles have.
const AROUND: &str = "\
    /avatar/ /avatars/ /emoji/ /emojis/ /smilies/ /smiley/ /emoticons/ /icons/ /icon/ /logos/ /logo/ /favicon/ \
    /sprites/ /badges/ /flags/ /gravatar/ /twemoji/ /wp-smiley/ /static/image/smiley/";

/// By its address the picture is of that sort.
pub(super) fn is_around(url: &WebUrl) -> bool {
    let path = url.path().to_ascii_lowercase();
    let file = path.rsplit('/').next().unwrap_or("");
    let stem = file.split('.').next().unwrap_or("");
    AROUND.split_ascii_whitespace().any(|part| path.contains(part))
        || stem.split(['-', '_']).any(|word| matches!(word, "logo" | "favicon" | "avatar" | "icon" | "spinner"))
        || is_in("s.w.org secure.gravatar.com www.gravatar.com gravatar.com", url.host())
}
