//! A one-off run over a site, by the built binary, compared with everything that is true of the site.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::time::{Duration, Instant};

use pressmark::archive::{Record, Records};
use pressmark::demo::site::Arrival;
use pressmark::demo::world::{Truths, truths};
use serde_json::Value;

use crate::lantern::{Lantern, rows, run, warcs};
use crate::readers::{READERS, read_back, skipped};

/// What the server's clock may be off by.
const TOLERANCE: Duration = Duration::from_millis(5);

/// The payload of every response with status 200, the last one of a URL counting.
fn kept(archive: &Path) -> HashMap<String, Vec<u8>> {
    let mut kept = HashMap::new();
    for file in warcs(archive) {
        for record in Records::open(&file, 0).unwrap().map(Result::unwrap) {
            let (head, body) = record.http();
            if record.kind() == "response" && head.starts_with(b"HTTP/1.1 200") {
                kept.insert(record.field("WARC-Target-URI").unwrap().to_owned(), body.to_vec());
            }
        }
    }
    kept
}

fn check_files(truths: &Truths, archive: &Path, unwanted: &BTreeSet<&str>) {
    let kept = kept(archive);
    for file in truths.files.iter().filter(|file| !unwanted.contains(file.url.as_str())) {
        let bytes = kept.get(&file.url).unwrap_or_else(|| panic!("{} was not kept", file.url));
        assert!(bytes == file.coded.as_ref().unwrap_or(&file.bytes), "{} was kept with other bytes", file.url);
    }
}

fn check_articles(truths: &Truths, archive: &Path) {
    let rows = rows(
        archive,
        "SELECT url, title, byline, substr(published_local, 1, 10), language, lead_image, images, images_kept, text FROM article",
    );
    let articles: BTreeMap<&str, &Vec<Value>> = rows.iter().map(|row| (row[0].as_str().unwrap(), row)).collect();
    for truth in &truths.articles {
        let article = articles.get(truth.url.as_str()).unwrap_or_else(|| panic!("{} is no article", truth.url));
        assert_eq!(article[1], truth.title.as_str(), "title of {}", truth.url);
        assert!(article[2].as_str().unwrap().contains(&truth.byline), "byline of {}: {}", truth.url, article[2]);
        assert_eq!(article[3], truth.published.as_str(), "day of {}", truth.url);
        let language = |tag: &str| tag.split('-').next().unwrap().to_owned();
        assert_eq!(language(article[4].as_str().unwrap()), language(&truth.language), "language of {}", truth.url);
        // A page that names no lead leads with its first picture.
        let first = truth.images.first().map(|image| image.original.as_str());
        assert_eq!(article[5].as_str(), truth.lead_image.as_deref().or(first), "lead of {}", truth.url);
        let missing = truth.images.iter().filter(|image| image.missing).count();
        assert_eq!(article[6], truth.images.len(), "pictures of {}", truth.url);
        assert_eq!(article[7], truth.images.len() - missing, "kept pictures of {}", truth.url);
        for block in &truth.text {
            assert!(article[8].as_str().unwrap().contains(block.as_str()), "{} lacks «{block}»", truth.url);
        }
        check_images(truth, archive);
    }
}

fn check_images(truth: &pressmark::demo::world::ArticleTruth, archive: &Path) {
    let sql = format!(
        "SELECT original, verdict, width, height, variants FROM image WHERE article = '{}' ORDER BY position",
        truth.url
    );
    for (row, image) in rows(archive, &sql).iter().zip(&truth.images) {
        assert_eq!(row[0], image.original.as_str(), "order of pictures in {}", truth.url);
        let verdict = row[1].as_str().unwrap();
        assert_eq!(verdict, if image.missing { "missing" } else { "complete" }, "{}", image.original);
        if !image.missing {
            assert_eq!((&row[2], &row[3]), (&image.width.into(), &image.height.into()), "{}", image.original);
        }
        for relayed in &image.relayed {
            let known = row[4].as_str().unwrap().contains(&serde_json::to_string(relayed).unwrap());
            assert!(known, "{relayed} is no variant of {}", image.original);
        }
    }
}

fn is_page_like(arrival: &Arrival) -> bool {
    let path = arrival.path_and_query.as_str();
    !arrival.host.starts_with("img.") && [".css", ".js", ".png", ".ico"].iter().all(|end| !path.ends_with(end))
}

/// No host's gap is broken, by the server's clock.
fn check_pace(arrivals: &[Arrival]) {
    let mut hosts: BTreeMap<&str, (Vec<Instant>, Vec<Instant>)> = BTreeMap::new();
    for arrival in arrivals {
        let (pages, requisites) = hosts.entry(&arrival.host).or_default();
        if is_page_like(arrival) { pages.push(arrival.at) } else { requisites.push(arrival.at) }
    }
    for (host, (pages, requisites)) in hosts {
        // The side host's robots.txt asks for two seconds, which bind once it has been read.
        let side = host.starts_with("side.");
        let gap = Duration::from_secs(if side { 2 } else { 1 });
        for pair in pages.windows(2) {
            assert!(pair[1] - pair[0] + TOLERANCE >= gap, "{host}: pages {:?} apart", pair[1] - pair[0]);
        }
        for (i, first) in requisites.iter().enumerate() {
            for (j, last) in requisites.iter().enumerate().skip(i) {
                let share = (*last - *first + TOLERANCE).as_millis() / 200;
                assert!((j - i) as u128 <= 3 + share, "{host}: {} requisites in {:?}", j - i + 1, *last - *first);
            }
        }
    }
}

/// warcio, FastWARC and the `warc` crate see what we see, and find every digest right.
pub fn check_every_reader(archive: &Path) {
    check_readers(archive);
    check_warc_crate(archive);
}

fn check_readers(archive: &Path) {
    if skipped("readers") {
        return;
    }
    let files = warcs(archive);
    let ours: Vec<Record> = files.iter().flat_map(|file| Records::open(file, 0).unwrap().map(Result::unwrap)).collect();
    for reader in READERS {
        let theirs = read_back(reader, &files);
        assert_eq!(theirs.len(), ours.len(), "records seen by {reader}");
        for (theirs, ours) in theirs.iter().zip(&ours) {
            assert_eq!(theirs["id"].as_str(), ours.field("WARC-Record-ID"), "{reader}");
            assert_eq!(theirs["type"].as_str(), Some(ours.kind()), "{reader}");
            assert_eq!(theirs["date"].as_str(), ours.field("WARC-Date"), "{reader}");
            assert_eq!(theirs["target_uri"].as_str(), ours.field("WARC-Target-URI"), "{reader}");
            assert_eq!(theirs["offset"].as_u64(), Some(ours.offset), "{reader}");
            assert_eq!(theirs["payload_digest"].as_str(), ours.field("WARC-Payload-Digest"), "{reader}");
            assert_eq!(theirs["block_digest"].as_str(), ours.field("WARC-Block-Digest"), "{reader}");
            assert_ne!(theirs["passed"], false, "{reader} finds a wrong digest in {theirs}");
        }
    }
}

/// The `warc` crate sees the same records, with the same digests.
fn check_warc_crate(archive: &Path) {
    for file in warcs(archive) {
        let ours: Vec<Record> = Records::open(&file, 0).unwrap().map(Result::unwrap).collect();
        let gzip = flate2::bufread::MultiGzDecoder::new(std::io::BufReader::new(std::fs::File::open(&file).unwrap()));
        let theirs: Vec<_> =
            warc::WarcReader::new(std::io::BufReader::new(gzip)).iter_records().map(Result::unwrap).collect();
        assert_eq!(theirs.len(), ours.len());
        for (theirs, ours) in theirs.iter().zip(&ours) {
            assert_eq!(theirs.warc_id(), ours.field("WARC-Record-ID").unwrap());
            assert_eq!(theirs.body(), ours.block.as_slice());
            let digest = theirs.header(warc::WarcHeader::PayloadDigest);
            assert_eq!(digest.as_deref(), ours.field("WARC-Payload-Digest"));
        }
    }
}

/// Every row leads to its record.
fn check_places(archive: &Path) {
    let rows = rows(archive, "SELECT url, warc_file, warc_offset, warc_length, payload_digest FROM capture_log");
    assert!(rows.len() > 60);
    for row in rows {
        let place = pressmark::archive::Place {
            file: row[1].as_str().unwrap().to_owned(),
            offset: row[2].as_u64().unwrap(),
            length: row[3].as_u64().unwrap(),
        };
        let record = pressmark::archive::read_at(&archive.join("warc"), &place).unwrap();
        assert_eq!(record.field("WARC-Target-URI"), row[0].as_str());
        assert_eq!((record.length, record.field("WARC-Payload-Digest")), (place.length, row[4].as_str()));
    }
}

#[test]
fn a_site_is_kept_whole_politely_and_readable_by_anyone() {
    let (lantern, truths, folder) = (Lantern::new(), truths(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    let output = run(lantern.crawl(archive).arg("--json"));
    assert!(output.status.success());
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["stopped_by"], "done");
    assert_eq!((&summary["refused_by_robots"], &summary["articles_incomplete"]), (&1.into(), &1.into()));

    let arrivals = lantern.site.arrivals();
    assert_eq!(summary["requests"].as_u64().unwrap(), arrivals.len() as u64 + 3, "three attempts at the dead relay");
    let asked: BTreeSet<String> =
        arrivals.iter().map(|arrival| format!("http://{}{}", arrival.host, arrival.path_and_query)).collect();
    for forbidden in &truths.forbidden {
        assert!(!asked.contains(forbidden), "{forbidden} was asked for");
    }
    assert_eq!(asked.len(), arrivals.len(), "something was asked for twice");
    check_pace(&arrivals);
    check_files(&truths, archive, &unwanted(&truths));
    check_articles(&truths, archive);
    check_places(archive);
    check_every_reader(archive);
    assert!(!archive.join("spool").exists(), "nothing is left in the spool");

    // The same command again: the seeds are asked for, nothing else is.
    let before = arrivals.len();
    assert!(run(lantern.crawl(archive).arg("--quiet")).status.success());
    assert_eq!(lantern.site.arrivals().len() - before, 3, "front page, feed and sitemap");
    let again = run(lantern.crawl(archive).args(["--quiet", "--strict"]));
    assert_eq!(again.status.code(), Some(3), "the relay is dead still");
}

/// Sizes of pictures that no desktop browser of one or two pixels a point picks.
fn unwanted(truths: &Truths) -> BTreeSet<&str> {
    let images = truths.articles.iter().flat_map(|article| &article.images);
    images
        .flat_map(|image| image.variants.iter().filter(|variant| **variant != image.original))
        .map(String::as_str)
        .collect()
}

#[test]
fn demo_shows_what_it_kept() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("demo-archive");
    let output = run(crate::lantern::pressmark().args(["demo", "--archive"]).arg(&archive));
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for said in
        ["Old Harbour Bridge", "守岛人", "Disallow: /private/", "answered 404", "Try next:", "pressmark.sqlite3"]
    {
        assert!(text.contains(said), "{said} is missing");
    }
    assert!(warcs(&archive).iter().all(|file| file.extension().is_some_and(|end| end == "gz")));
}
