//! Attributes that pages keep the addresses of pictures in until a script asks for them.

use std::sync::LazyLock;

/// What an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The full picture, where `src` and `srcset` have a lesser one.
    Full,
    /// What a script will put into `src`.
    Lazy,
    /// What a script will put into `srcset`.
    Set,
    /// The picture as a background.
    Background,
}

/// Attribute, what it holds, where it was learnt. Those that hold the full picture stand best first.
pub const ATTRIBUTES: &[(&str, Holds, &str)] = &[
    ("data-gif-url", Holds::Full, "sspai and others: the moving picture behind its first frame"),
    ("zoomfile", Holds::Full, "Discuz!: the attachment; `file` beside it is the thumbnail"),
    ("data-original", Holds::Full, "jQuery Lazy Load; the ZAKER and Zhihu families"),
    ("data-original-src", Holds::Full, "variants of jQuery Lazy Load"),
    ("data-orig-src", Holds::Full, "Avada (Fusion Builder)"),
    ("data-origin-src", Holds::Full, "Notion exports; Toutiao"),
    ("data-full-src", Holds::Full, "themes with a light box"),
    ("data-full-url", Holds::Full, "WordPress: galleries of the block editor"),
    ("data-orig-file", Holds::Full, "Jetpack: Carousel"),
    ("data-large_image", Holds::Full, "WooCommerce: product galleries"),
    ("data-large-file", Holds::Full, "Jetpack: Carousel"),
    ("data-hi-res-src", Holds::Full, "retina scripts"),
    ("data-highres", Holds::Full, "retina scripts"),
    ("data-zoom-image", Holds::Full, "elevateZoom"),
    ("data-zoom-src", Holds::Full, "medium-zoom: data-zoom-src"),
    ("data-pagespeed-high-res-src", Holds::Full, "mod_pagespeed: inline_preview_images"),
    ("data-croporisrc", Holds::Full, "WeChat articles: the picture before it was cut"),
    ("data-animated-url", Holds::Full, "sspai and others: the moving picture"),
    ("data-actualsrc", Holds::Full, "Zhihu"),
    ("data-src", Holds::Lazy, "lazysizes, lozad, WeChat articles"),
    ("data-lazy-src", Holds::Lazy, "WordPress: WP Rocket, Jetpack lazy images"),
    ("data-lazyload", Holds::Lazy, "Sohu and Tencent themes; Revolution Slider"),
    ("data-lazyload-src", Holds::Lazy, "Sohu themes"),
    ("data-lazy", Holds::Lazy, "slick"),
    ("data-echo", Holds::Lazy, "echo.js"),
    ("data-ks-lazyload", Holds::Lazy, "KISSY, on Taobao pages"),
    ("data-url", Holds::Lazy, "Toutiao pages"),
    ("data-real-src", Holds::Lazy, "Sina and 163 themes"),
    ("real_src", Holds::Lazy, "Sina blogs"),
    ("real-src", Holds::Lazy, "Sina blogs, later"),
    ("_src", Holds::Lazy, "UEditor"),
    ("data-backsrc", Holds::Lazy, "WeChat articles"),
    ("data-img-src", Holds::Lazy, "sliders of WordPress themes"),
    ("data-img", Holds::Lazy, "tabs and hovers of news themes"),
    ("data-imgsrc", Holds::Lazy, "unveil themes"),
    ("data-image", Holds::Lazy, "Squarespace"),
    ("data-image-src", Holds::Lazy, "parallax.js"),
    ("data-cfsrc", Holds::Lazy, "Cloudflare Mirage"),
    ("data-ezsrc", Holds::Lazy, "Ezoic"),
    ("data-pagespeed-lazy-src", Holds::Lazy, "mod_pagespeed: lazyload_images"),
    ("data-wpfc-original-src", Holds::Lazy, "WP Fastest Cache"),
    ("data-breeze", Holds::Lazy, "Breeze"),
    ("nitro-lazy-src", Holds::Lazy, "NitroPack"),
    ("data-opt-src", Holds::Lazy, "Optimole"),
    ("data-defer-src", Holds::Lazy, "WP Deferred.js"),
    ("data-delayed-url", Holds::Lazy, "LinkedIn"),
    ("data-flickity-lazyload", Holds::Lazy, "Flickity"),
    ("data-aload", Holds::Lazy, "aload.js"),
    ("data-normal", Holds::Lazy, "Layzr.js"),
    ("data-thumb", Holds::Lazy, "unveil themes"),
    ("lazy-src", Holds::Lazy, "ng-lazy-img and mip-img themes"),
    ("lazysrc", Holds::Lazy, "Netease themes"),
    ("original", Holds::Lazy, "lazyload.js of early portals"),
    ("loadlate", Holds::Lazy, "IMDb"),
    ("file", Holds::Lazy, "Discuz!"),
    ("srcset", Holds::Set, "HTML, 4.8.3"),
    ("data-srcset", Holds::Set, "lazysizes"),
    ("data-lazy-srcset", Holds::Set, "WP Rocket"),
    ("data-ezsrcset", Holds::Set, "Ezoic"),
    ("nitro-lazy-srcset", Holds::Set, "NitroPack"),
    ("data-orig-srcset", Holds::Set, "Avada (Fusion Builder)"),
    ("data-flickity-lazyload-srcset", Holds::Set, "Flickity"),
    ("data-original-set", Holds::Set, "lazyload 8 (verlok)"),
    ("data-bg", Holds::Background, "lazysizes: bgset, vanilla-lazyload"),
    ("data-background", Holds::Background, "Swiper"),
    ("data-background-image", Holds::Background, "lozad"),
    ("data-lazy-background", Holds::Background, "WP Rocket"),
];

/// The attributes that hold that, best first.
pub fn named(holds: Holds) -> impl Iterator<Item = &'static str> {
    static NAMED: LazyLock<[Vec<&str>; 4]> = LazyLock::new(|| {
        [Holds::Full, Holds::Lazy, Holds::Set, Holds::Background]
            .map(|holds| ATTRIBUTES.iter().filter(|(_, what, _)| *what == holds).map(|(name, ..)| *name).collect())
    });
    NAMED[holds as usize].iter().copied()
}
