//! Every byte of the demo site, and what is true of it.
//!
//! [`truths`] is what a crawl of the site can be compared with: the articles as they were written, every picture and
//! every file as it is served.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::LazyLock;

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use encoding_rs::GBK;
use flate2::Compression;
use flate2::write::GzEncoder;

pub use super::articles::Listed;
use super::articles::{ARTICLES, Article, DEAD, Figure, Manner, Metadata, NEWS, PICTURES, SIDE};
use super::page::{self, Block};
use super::picture::{Picture, Scene, png};

/// What is true of the demo site.
#[derive(Clone, Debug)]
pub struct Truths {
    /// The twelve articles, in the order of the front page; those it does not list come last.
    pub articles: Vec<ArticleTruth>,
    /// What robots.txt forbids and the front page links to. It is served all the same: who asks is in the log.
    pub forbidden: Vec<String>,
    /// What pages name and is answered with 404.
    pub missing: Vec<String>,
    /// Every URL that may be fetched and is answered with 200.
    pub files: Vec<FileTruth>,
}

/// One article as it was written.
#[derive(Clone, Debug)]
pub struct ArticleTruth {
    /// Its address.
    pub url: String,
    /// The headline.
    pub title: String,
    /// Who wrote it: the name alone.
    pub byline: String,
    /// The day, `YYYY-MM-DD`.
    pub published: String,
    /// The `lang` of its page.
    pub language: String,
    /// The picture that the page's metadata name.
    pub lead_image: Option<String>,
    /// Paragraphs, headings and quotations in order.
    pub text: Vec<String>,
    /// Its pictures in order; what is on every page is left out.
    pub images: Vec<ImageTruth>,
    /// Which lists name it.
    pub listed: Listed,
}

/// One picture of an article.
#[derive(Clone, Debug)]
pub struct ImageTruth {
    /// Its address in the full size.
    pub original: String,
    /// Every address that the page gives it on the picture host, the original included.
    pub variants: Vec<String>,
    /// Its addresses behind the dead relay.
    pub relayed: Vec<String>,
    /// It is answered with 404.
    pub missing: bool,
    /// Pixels across, of the original.
    pub width: u32,
    /// Pixels down, of the original.
    pub height: u32,
    /// The caption; empty when there is none.
    pub caption: String,
}

/// One file as it is served.
#[derive(Clone, Debug)]
pub struct FileTruth {
    /// Its address.
    pub url: String,
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// The bytes, without content coding.
    pub bytes: Vec<u8>,
    /// The bytes as they are sent to those who accept gzip, where that makes a difference.
    pub coded: Option<Vec<u8>>,
    /// The strong entity tag of `bytes`.
    pub etag: String,
    /// The `Last-Modified`.
    pub modified: String,
    /// It is sent in chunks, without a length.
    pub chunked: bool,
}

/// What is true of the site. Costs a copy of every file (some 3 MB), and the drawing of all pictures the first time.
pub fn truths() -> Truths {
    WORLD.truths.clone()
}

/// The site's files by host and path.
pub(super) static WORLD: LazyLock<World> = LazyLock::new(World::made);

pub(super) struct World {
    files: BTreeMap<(&'static str, String), File>,
    truths: Truths,
}

/// One file, ready to be sent.
pub(super) struct File {
    pub content_type: &'static str,
    pub plain: Entity,
    /// What those get who accept gzip.
    pub coded: Option<Entity>,
    pub modified: String,
    pub chunked: bool,
}

/// Bytes and the tag they are known by. A coded form is another entity and has another tag (RFC 9110, 8.8.3.3).
pub(super) struct Entity {
    pub bytes: Bytes,
    pub etag: String,
}

/// How a file is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Sized,
    Chunked,
    Gzip,
}

const HTML: &str = "text/html; charset=utf-8";
const PNG: &str = "image/png";
/// When everything that has no date of its own was made.
const FOUNDED: &str = "2026-10-01T09:00:00+08:00";
const DRAFTS: &str = "/private/drafts.html";

impl World {
    /// The file at this address.
    pub fn file(&self, host: &str, path: &str) -> Option<&File> {
        // The keys own their paths, so a look-up needs one too; a request more or less does not matter here.
        let host = [NEWS, PICTURES, SIDE].into_iter().find(|known| *known == host)?;
        self.files.get(&(host, path.to_owned()))
    }

    fn made() -> World {
        let mut world = World {
            files: BTreeMap::new(),
            truths: Truths { articles: Vec::new(), forbidden: Vec::new(), missing: Vec::new(), files: Vec::new() },
        };
        world.print_pages();
        for (at, article) in ARTICLES.iter().enumerate() {
            let text = page::article(article);
            let delivery = if at % 3 == 0 { Delivery::Chunked } else { Delivery::Sized };
            match article.metadata {
                // The charset stands in the page alone.
                Metadata::VisibleGbk => {
                    world.put(
                        article.host,
                        article.path,
                        "text/html",
                        GBK.encode(&text).0.into_owned(),
                        article.published,
                        delivery,
                    );
                }
                _ => world.put(article.host, article.path, HTML, text.into_bytes(), article.published, delivery),
            }
            let images =
                (1..).zip(article.figures).map(|(seed, figure)| world.draw(article, figure, at as u32 * 10 + seed));
            let images = images.collect();
            world.truths.articles.push(told(article, images));
        }
        world.truths.forbidden.push(format!("http://{NEWS}{DRAFTS}"));
        world.truths.files = world
            .files
            .iter()
            .filter(|((_, path), _)| path != DRAFTS)
            .map(|((host, path), file)| FileTruth {
                url: format!("http://{host}{path}"),
                content_type: file.content_type,
                bytes: file.plain.bytes.to_vec(),
                coded: file.coded.as_ref().map(|coded| coded.bytes.to_vec()),
                etag: file.plain.etag.clone(),
                modified: file.modified.clone(),
                chunked: file.chunked,
            })
            .collect();
        world
    }

    /// Everything but articles and their pictures.
    fn print_pages(&mut self) {
        let newest = ARTICLES.iter().map(|article| article.published).max().unwrap_or(FOUNDED);
        let mut put = |path, content_type, text: &str, date, delivery| {
            self.put(NEWS, path, content_type, text.as_bytes().to_vec(), date, delivery);
        };
        put("/", HTML, &page::front(), newest, Delivery::Chunked);
        put("/about.html", HTML, &page::about(), FOUNDED, Delivery::Sized);
        put(DRAFTS, HTML, &page::drafts(), FOUNDED, Delivery::Sized);
        put("/feed.xml", "application/rss+xml; charset=utf-8", &page::feed(), newest, Delivery::Gzip);
        put("/sitemap.xml", "application/xml", &page::sitemap(), newest, Delivery::Sized);
        put("/style.css", "text/css; charset=utf-8", page::STYLE, FOUNDED, Delivery::Gzip);
        put("/site.js", "text/javascript; charset=utf-8", page::SCRIPT, FOUNDED, Delivery::Sized);
        put("/robots.txt", "text/plain; charset=utf-8", page::ROBOTS, FOUNDED, Delivery::Sized);
        self.put(SIDE, "/robots.txt", "text/plain", page::SIDE_ROBOTS.into(), FOUNDED, Delivery::Sized);
        let paper = Picture { scene: Scene::Table, seed: 2, width: 64, height: 64 };
        let logo = Picture { scene: Scene::Night, seed: 1, width: 128, height: 128 };
        self.put(PICTURES, "/site/paper.png", PNG, png(paper), FOUNDED, Delivery::Sized);
        let quay = Picture { scene: Scene::Night, seed: 3, width: 96, height: 48 };
        self.put(PICTURES, "/site/quay.png", PNG, png(quay), FOUNDED, Delivery::Sized);
        self.put(PICTURES, "/site/logo.png", PNG, png(logo), FOUNDED, Delivery::Sized);
    }

    fn draw(&mut self, article: &Article, figure: &Figure, seed: u32) -> ImageTruth {
        let original = article.picture(figure);
        let smaller =
            figure.smaller.iter().map(|width| (article.smaller(figure, *width), *width, figure.height_at(*width)));
        let sizes: Vec<_> = smaller.chain([(original.clone(), figure.width, figure.height)]).collect();
        for (url, width, height) in &sizes {
            if figure.missing {
                self.truths.missing.push(url.clone());
            } else {
                let path = url.split_once(PICTURES).map_or("", |(_, path)| path);
                let picture = Picture { scene: figure.scene, seed, width: *width, height: *height };
                self.put(PICTURES, path, PNG, png(picture), article.published, Delivery::Sized);
            }
        }
        let relayed = if article.manner == Manner::Relayed { vec![page::relayed(&original)] } else { Vec::new() };
        ImageTruth {
            variants: sizes.into_iter().map(|(url, ..)| url).collect(),
            relayed,
            original,
            missing: figure.missing,
            width: figure.width,
            height: figure.height,
            caption: figure.caption.to_owned(),
        }
    }

    fn put(
        &mut self,
        host: &'static str,
        path: &str,
        content_type: &'static str,
        bytes: Vec<u8>,
        date: &str,
        delivery: Delivery,
    ) {
        let hash = blake3::hash(&bytes).to_hex();
        let tag = &hash[..20];
        let coded = (delivery == Delivery::Gzip)
            .then(|| Entity { bytes: Bytes::from(gzip(&bytes)), etag: format!("\"{tag}-gzip\"") });
        let file = File {
            content_type,
            plain: Entity { bytes: Bytes::from(bytes), etag: format!("\"{tag}\"") },
            coded,
            modified: http_date(date),
            chunked: delivery == Delivery::Chunked,
        };
        self.files.insert((host, path.to_owned()), file);
    }
}

fn told(article: &Article, images: Vec<ImageTruth>) -> ArticleTruth {
    let text = page::blocks(article).filter_map(|block| match block {
        Block::Heading(text) | Block::Quotation(text) | Block::Paragraph(text) => Some(text.to_owned()),
        Block::Figure(_) => None,
    });
    ArticleTruth {
        url: article.url(),
        title: article.title.to_owned(),
        byline: article.byline.to_owned(),
        published: article.day().to_owned(),
        language: article.language.to_owned(),
        lead_image: article.lead(),
        text: text.collect(),
        images,
        listed: article.listed,
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes what is written")
}

/// An RFC 3339 date in the form of RFC 9110, 5.6.7.
fn http_date(date: &str) -> String {
    let date = DateTime::parse_from_rfc3339(date).unwrap_or_default();
    date.with_timezone(&Utc).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Every host that is served, and the one that is not.
pub(super) const HOSTS: [&str; 3] = [NEWS, PICTURES, SIDE];
/// The relay at which nothing is served.
pub(super) const DEAD_HOST: &str = DEAD;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn there_are_twelve_articles_and_about_forty_pictures() {
        let truths = truths();
        assert_eq!(truths.articles.len(), 12);
        assert_eq!(truths.articles.iter().filter(|article| article.language == "en").count(), 7);
        let pictures: Vec<_> = truths.files.iter().filter(|file| file.content_type == PNG).collect();
        assert!((38..=44).contains(&pictures.len()), "{}", pictures.len());
        let size: usize = pictures.iter().map(|file| file.bytes.len()).sum();
        assert!((1_000_000..4_000_000).contains(&size), "{size} bytes");
        assert_eq!(pictures.iter().map(|file| &file.bytes).collect::<HashSet<_>>().len(), pictures.len());
        assert_eq!(truths.missing, ["http://img.lantern.example/2026/11/rain-snow.png"]);
    }

    #[test]
    fn every_picture_has_the_size_that_is_claimed() {
        let truths = truths();
        let images = truths.articles.iter().flat_map(|article| &article.images);
        for image in images.filter(|image| !image.missing) {
            let file = truths.files.iter().find(|file| file.url == image.original).unwrap();
            let size = imagesize::blob_size(&file.bytes).unwrap();
            assert_eq!((size.width, size.height), (image.width as usize, image.height as usize), "{}", image.original);
            for url in &image.variants {
                assert!(truths.files.iter().any(|file| file.url == *url), "{url}");
            }
        }
    }

    #[test]
    fn every_article_says_what_is_true_of_it() {
        let truths = truths();
        for article in &truths.articles {
            let file = truths.files.iter().find(|file| file.url == article.url).unwrap();
            let gbk = file.content_type == "text/html";
            let (page, _, broken) = if gbk { GBK } else { encoding_rs::UTF_8 }.decode(&file.bytes);
            assert!(!broken && !page.contains("&#"), "{}", article.url);
            assert_eq!(page.contains("charset=gb2312"), gbk);
            for text in [&[article.title.clone(), article.byline.clone()], &article.text[..]].concat() {
                assert!(page.contains(&text.replace('"', "&quot;")), "{}: {text}", article.url);
            }
            for url in article.images.iter().flat_map(|image| image.variants.iter().chain(&image.relayed)) {
                assert!(page.contains(url.as_str()), "{}: {url}", article.url);
            }
            assert!(!article.images.is_empty());
            assert!(article.text.iter().map(|text| text.chars().count()).sum::<usize>() > 300, "{}", article.url);
        }
    }

    #[test]
    fn the_seed_documents_form_is_exact() {
        let truths = truths();
        let article = truths.articles.iter().find(|article| !article.images[0].relayed.is_empty()).unwrap();
        let page = truths.files.iter().find(|file| file.url == article.url).unwrap();
        let url = "http://img.lantern.example/2026/11/6910f2b08e9f096a0d7cfd69_1024.png";
        let markup = format!(
            "<p></p><div class=\"img_box\" id=\"id_imagebox_0\" onclick><div class=\"content_img_div perview_img_div\">\
             <img class=\"lazy opacity_0 \" id=\"img_0\" data-original=\"{url}\" data-height=\"1067\" data-width=\"1600\" \
             src=\"http://cors.lantern.example/?{url}\" referrerpolicy=\"no-referrer\"></div></div>11 月 10 日"
        );
        assert!(String::from_utf8_lossy(&page.bytes).contains(&markup));
    }

    #[test]
    fn each_list_names_an_article_that_no_other_names() {
        let text = |path: &str| {
            let truths = truths();
            let file = truths.files.into_iter().find(|file| file.url == format!("http://{NEWS}{path}")).unwrap();
            String::from_utf8(file.bytes).unwrap()
        };
        let lists = [text("/"), text("/feed.xml"), text("/sitemap.xml")];
        let mut alone = [0; 3];
        for article in truths().articles {
            let path = article.url.split_once(".example").unwrap().1;
            let named = lists.each_ref().map(|list| list.contains(path));
            assert_eq!(named, [article.listed.front, article.listed.feed, article.listed.sitemap], "{}", article.url);
            let lists: Vec<usize> = (0..3).filter(|at| named[*at]).collect();
            if let [only] = lists[..] {
                alone[only] += 1;
            }
        }
        assert_eq!(alone, [0, 1, 2]);
    }
}
