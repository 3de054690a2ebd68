//! The pages of the site as text. Everything is made from the table of articles.

use chrono::DateTime;

use super::articles::{ARTICLES, Article, DEAD, Figure, Manner, Metadata, NEWS, PICTURES};

/// The name of the paper.
const PAPER: &str = "The Lantern Bay Courier";
/// The transparent pixel that waits in `src` for the script.
const PLACEHOLDER: &str = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw==";

/// The style sheet.
pub(super) const STYLE: &str = include_str!("content/style.css");
/// The script.
pub(super) const SCRIPT: &str = include_str!("content/site.js");
/// The rules of the news host.
pub(super) const ROBOTS: &str =
    "User-agent: *\nDisallow: /private/\nAllow: /\n\nSitemap: http://lantern.example/sitemap.xml\n";
/// The rules of the side host.
pub(super) const SIDE_ROBOTS: &str = "User-agent: *\nCrawl-delay: 2\nDisallow:\n";

/// The page of an article, before it is encoded.
pub(super) fn article(article: &Article) -> String {
    let content = match article.manner {
        Manner::Relayed => relayed_body(article),
        _ => body(article),
    };
    let main = format!(
        "<article>\n<p class=\"section\">{}</p>\n<h1>{}</h1>\n{}\n{content}</article>\n{}",
        article.section,
        escaped(article.title),
        byline(article),
        related(article),
    );
    shell(article.language, &format!("{} - {PAPER}", article.title), &head(article), &main)
}

/// The front page.
pub(super) fn front() -> String {
    let mut main = "<h1>Lantern Bay, this week</h1>\n<ul class=\"stories\">\n".to_owned();
    for article in ARTICLES.iter().filter(|article| article.listed.front) {
        main.push_str(&format!(
            "<li lang=\"{}\"><span class=\"section\">{}</span>\n<h2><a href=\"{}\">{}</a></h2>\n<p>{}</p></li>\n",
            article.language,
            article.section,
            article.path,
            escaped(article.title),
            escaped(article.summary),
        ));
    }
    main.push_str("</ul>\n<p class=\"section\">For colleagues: <a href=\"/private/drafts.html\">drafts</a></p>\n");
    let head = "<meta charset=\"utf-8\">\n<meta name=\"description\" content=\"News from Lantern Bay, in two languages.\">\n\
                <link rel=\"alternate\" type=\"application/rss+xml\" href=\"/feed.xml\">";
    shell("en", PAPER, head, &main)
}

/// A page that is no article.
pub(super) fn about() -> String {
    let main = "<h1>About the paper</h1>\n<p>The Courier has been printed at the old harbour since there was an old \
                harbour, and has had a page on the net for nearly as long. Neither the harbour nor the paper exists: \
                this site is an example that comes with a program.</p>\n<p>关于本报：灯湾信报只存在于这台电脑里。</p>\n";
    shell("en", &format!("About - {PAPER}"), "<meta charset=\"utf-8\">", main)
}

/// What the front page links to and robots.txt forbids.
pub(super) fn drafts() -> String {
    let main = "<h1>Drafts</h1>\n<p>Not for readers, and not for crawlers.</p>\n";
    shell(
        "en",
        &format!("Drafts - {PAPER}"),
        "<meta charset=\"utf-8\">\n<meta name=\"robots\" content=\"noindex\">",
        main,
    )
}

/// What stands where nothing stands.
pub(super) fn missing(path: &str) -> String {
    let text = format!("<h1>Not found</h1>\n<p>There is no page at {}. 没有这个页面。</p>\n", escaped(path));
    shell("en", "Not found", "<meta charset=\"utf-8\">", &text)
}

/// The RSS feed.
pub(super) fn feed() -> String {
    let mut items = String::new();
    for article in ARTICLES.iter().filter(|article| article.listed.feed) {
        let lead = article
            .lead()
            .map_or(String::new(), |url| format!("      <enclosure url=\"{url}\" type=\"image/png\" length=\"0\"/>\n"));
        items.push_str(&format!(
            "    <item>\n      <title>{}</title>\n      <link>{url}</link>\n      <guid>{url}</guid>\n      \
             <pubDate>{}</pubDate>\n      <dc:creator>{}</dc:creator>\n      <category>{}</category>\n{lead}      \
             <description>{}</description>\n    </item>\n",
            escaped(article.title),
            mail_date(article.published),
            article.byline,
            article.section,
            escaped(article.summary),
            url = article.url(),
        ));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n  <channel>\n    <title>{PAPER}</title>\n    \
         <link>http://{NEWS}/</link>\n    <atom:link href=\"http://{NEWS}/feed.xml\" rel=\"self\" \
         type=\"application/rss+xml\"/>\n    <description>News from Lantern Bay</description>\n{items}  \
         </channel>\n</rss>\n"
    )
}

/// The sitemap.
pub(super) fn sitemap() -> String {
    let mut urls =
        format!("  <url><loc>http://{NEWS}/</loc></url>\n  <url><loc>http://{NEWS}/about.html</loc></url>\n");
    for article in ARTICLES.iter().filter(|article| article.listed.sitemap) {
        urls.push_str(&format!("  <url><loc>{}</loc><lastmod>{}</lastmod></url>\n", article.url(), article.day()));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n\
         {urls}</urlset>\n"
    )
}

fn shell(language: &str, title: &str, head: &str, main: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n{head}\n<title>{}</title>\n\
         <link rel=\"stylesheet\" href=\"http://{NEWS}/style.css\">\n\
         <script src=\"http://{NEWS}/site.js\" defer></script>\n</head>\n<body>\n<header>\n\
         <a class=\"name\" href=\"http://{NEWS}/\"><img src=\"http://{PICTURES}/site/logo.png\" alt=\"\" width=\"64\" \
         height=\"64\"> {PAPER}</a>\n<nav><ul><li><a href=\"http://{NEWS}/\">Front page</a></li>\
         <li><a href=\"http://{NEWS}/about.html\">About</a></li></ul></nav>\n</header>\n<main>\n{main}</main>\n\
         <footer style=\"background-image: url('http://{PICTURES}/site/quay.png')\"><p>{PAPER}, Customs Quay 4, Lantern Bay. Printed on loopback.</p></footer>\n</body>\n</html>\n",
        escaped(title),
    )
}

fn head(article: &Article) -> String {
    let (title, summary, url) = (escaped(article.title), escaped(article.summary), article.url());
    let charset = match article.metadata {
        // As such pages have it: the older form, and the name of the smaller character set.
        Metadata::VisibleGbk => "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=gb2312\">",
        _ => "<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">",
    };
    let lead = article.lead().unwrap_or_default();
    let about = match article.metadata {
        Metadata::Meta => format!(
            "<link rel=\"canonical\" href=\"{url}\">\n<meta name=\"description\" content=\"{summary}\">\n\
             <meta name=\"author\" content=\"{}\">\n<meta property=\"og:type\" content=\"article\">\n\
             <meta property=\"og:title\" content=\"{title}\">\n<meta property=\"og:image\" content=\"{lead}\">\n\
             <meta property=\"article:published_time\" content=\"{}\">",
            article.byline, article.published
        ),
        Metadata::Json => {
            let json = serde_json::json!({
                "@context": "https://schema.org",
                "@type": "NewsArticle",
                "headline": article.title,
                "image": [lead],
                "datePublished": article.published,
                "author": { "@type": "Person", "name": article.byline },
                "publisher": {
                    "@type": "Organization",
                    "name": PAPER,
                    "logo": { "@type": "ImageObject", "url": format!("http://{PICTURES}/site/logo.png") },
                },
                "mainEntityOfPage": url,
            });
            format!("<link rel=\"canonical\" href=\"{url}\">\n<script type=\"application/ld+json\">{json}</script>")
        }
        // As the page in the seed's family has it.
        Metadata::Visible => "<meta name=\"referrer\" content=\"no-referrer\">".to_owned(),
        Metadata::VisibleGbk => String::new(),
    };
    format!("{charset}\n{about}")
}

fn byline(article: &Article) -> String {
    let (day, clock) = (article.day(), &article.published[11..16]);
    let [year, month, date] = [&day[..4], &day[5..7], &day[8..]];
    match (article.metadata, article.language) {
        (Metadata::VisibleGbk, _) => format!(
            "<div class=\"info\">{year}年{month}月{date}日 {clock}　来源：灯湾信报　作者：{}</div>",
            article.byline
        ),
        (Metadata::Visible, _) => {
            format!("<div class=\"info\"><span class=\"time\">{day} {clock}:00</span> 文 / {}</div>", article.byline)
        }
        (_, "en") => format!(
            "<p class=\"byline\">By <span class=\"author\">{}</span>, <time datetime=\"{}\">{day}, {clock}</time></p>",
            article.byline, article.published
        ),
        _ => format!(
            "<p class=\"byline\">记者 <span class=\"author\">{}</span> <time datetime=\"{}\">\
             {year}年{month}月{date}日 {clock}</time></p>",
            article.byline, article.published
        ),
    }
}

fn related(article: &Article) -> String {
    let heading = if article.language == "en" { "Also in the paper" } else { "相关阅读" };
    let others = ARTICLES.iter().filter(|other| other.listed.front && other.path != article.path);
    let items: String = others
        .filter(|other| other.language == article.language)
        .take(3)
        .map(|other| format!("<li><a href=\"{}\">{}</a></li>\n", other.url(), escaped(other.title)))
        .collect();
    format!("<aside class=\"related\">\n<h2>{heading}</h2>\n<ul>\n{items}</ul>\n</aside>\n")
}

/// A line of an article's content.
pub(super) enum Block<'a> {
    Heading(&'a str),
    Quotation(&'a str),
    Paragraph(&'a str),
    /// Which of the figures, counted from 0.
    Figure(usize),
}

/// The content of an article, line by line.
pub(super) fn blocks(article: &Article) -> impl Iterator<Item = Block<'_>> {
    article.content.lines().map(|line| {
        let number = line.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")?.parse::<usize>().ok());
        match (number, line.strip_prefix("## "), line.strip_prefix("> ")) {
            (Some(number), ..) => Block::Figure(number.saturating_sub(1)),
            (_, Some(text), _) => Block::Heading(text),
            (_, _, Some(text)) => Block::Quotation(text),
            _ => Block::Paragraph(line),
        }
    })
}

fn body(article: &Article) -> String {
    let mut out = String::new();
    for block in blocks(article) {
        match block {
            Block::Heading(text) => out.push_str(&format!("<h2>{}</h2>\n", escaped(text))),
            Block::Quotation(text) => out.push_str(&format!("<blockquote><p>{}</p></blockquote>\n", escaped(text))),
            Block::Paragraph(text) => out.push_str(&format!("<p>{}</p>\n", escaped(text))),
            Block::Figure(at) => {
                if let Some(figure) = article.figures.get(at) {
                    let (image, caption) = (image(article, figure), escaped(figure.caption));
                    out.push_str(&format!("<figure>{image}<figcaption>{caption}</figcaption></figure>\n"));
                }
            }
        }
    }
    out
}

fn image(article: &Article, figure: &Figure) -> String {
    let url = article.picture(figure);
    let (alt, size) = (escaped(figure.caption), format!("width=\"{}\" height=\"{}\"", figure.width, figure.height));
    let widths: Vec<String> =
        figure.smaller.iter().map(|width| format!("{} {width}w", article.smaller(figure, *width))).collect();
    let srcset = [&widths[..], &[format!("{url} {}w", figure.width)]].concat().join(", ");
    let smallest = figure.smaller.first().map_or(url.clone(), |width| article.smaller(figure, *width));
    match article.manner {
        Manner::Plain | Manner::Relayed => format!("<img src=\"{url}\" alt=\"{alt}\" {size}>"),
        Manner::Srcset => {
            format!(
                "<img src=\"{smallest}\" srcset=\"{srcset}\" sizes=\"(min-width: 46rem) 46rem, 100vw\" alt=\"{alt}\" {size}>"
            )
        }
        Manner::Source => format!(
            "<picture><source media=\"(min-width: 40rem)\" type=\"image/png\" srcset=\"{url}\">\
             <img src=\"{smallest}\" alt=\"{alt}\" loading=\"lazy\"></picture>"
        ),
        Manner::DataSrc => {
            format!("<img class=\"lazy\" src=\"{PLACEHOLDER}\" data-src=\"{url}\" alt=\"{alt}\" {size}>")
        }
        Manner::DataSrcset => format!(
            "<img class=\"lazy\" src=\"{PLACEHOLDER}\" data-srcset=\"{srcset}\" data-sizes=\"auto\" alt=\"{alt}\" {size}>"
        ),
        Manner::Noscript => format!(
            "<img class=\"lazy\" src=\"{PLACEHOLDER}\" alt=\"\"><noscript><img src=\"{url}\" alt=\"{alt}\" {size}></noscript>"
        ),
    }
}

/// The body in the seed document's form: bare text after each picture, empty paragraphs, no captions.
fn relayed_body(article: &Article) -> String {
    let mut out = "<div>   \n".to_owned();
    let mut after_figure = false;
    for block in blocks(article) {
        match block {
            Block::Figure(at) => {
                if let Some(figure) = article.figures.get(at) {
                    let url = article.picture(figure);
                    out.push_str(&format!(
                        "<p></p><div class=\"img_box\" id=\"id_imagebox_{at}\" onclick><div class=\"content_img_div \
                         perview_img_div\"><img class=\"lazy opacity_0 \" id=\"img_{at}\" data-original=\"{url}\" \
                         data-height=\"{}\" data-width=\"{}\" src=\"{}\" referrerpolicy=\"no-referrer\"></div></div>",
                        figure.height,
                        figure.width,
                        relayed(&url),
                    ));
                }
                after_figure = true;
            }
            Block::Paragraph(text) | Block::Heading(text) | Block::Quotation(text) => {
                let text = escaped(text);
                out.push_str(&if after_figure { format!("{text}<p></p>") } else { format!("<p>{text}</p>") });
                after_figure = false;
            }
        }
    }
    out.push_str("  \n</div>\n");
    out
}

/// A picture's address behind the relay.
pub(super) fn relayed(url: &str) -> String {
    format!("http://{DEAD}/?{url}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// An RFC 3339 date as RFC 2822, in its own zone.
fn mail_date(date: &str) -> String {
    DateTime::parse_from_rfc3339(date).map_or(String::new(), |date| date.to_rfc2822())
}
