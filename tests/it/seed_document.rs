//! The user's own seed document, with its hosts mapped to a local server: once with the relay alive, once dead.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};

use pressmark::archive::Records;

use crate::lantern::{nobody, pressmark, rows, run, warcs};

const SEED: &str = "zaker-mini-programs.md";
const RELAY: &str = "cors.zfour.workers.dev";
const HOSTS: [&str; 2] = ["zkres1.myzaker.com", "zkres2.myzaker.com"];
const ORIGINALS: [(&str, u32, u32); 4] = [
    ("http://zkres1.myzaker.com/202110/6177ce288e9f096a0d7cfd69_1024.jpg", 1700, 1133),
    ("http://zkres2.myzaker.com/202110/6177ce288e9f096a0d7cfd6a_1024.jpg", 661, 480),
    ("http://zkres1.myzaker.com/202110/6177ce288e9f096a0d7cfd6b_1024.jpg", 1024, 683),
    ("http://zkres2.myzaker.com/202110/6177ce288e9f096a0d7cfd6c_1024.jpg", 960, 566),
];

/// Answers every picture with a JPEG header of its declared size, everything else with 404. Writes down what came.
struct Pictures {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Pictures {
    fn serve() -> Pictures {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (address, heads) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let log = heads.clone();
        // Ends with the process: it has nothing to tidy up.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, log) = (stream.unwrap(), log.clone());
                std::thread::spawn(move || {
                    let mut head = Vec::new();
                    let mut byte = [0];
                    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
                        head.push(byte[0]);
                    }
                    let head = String::from_utf8(head).unwrap();
                    let name = |url: &str| url.rsplit('/').next().unwrap().to_owned();
                    let line = head.lines().next().unwrap_or("").to_owned();
                    let picture = ORIGINALS.iter().find(|(url, _, _)| line.contains(&name(url)));
                    log.lock().unwrap().push(head);
                    let (status, body) = match picture {
                        Some((_, width, height)) => ("200 OK", jpeg(*width, *height)),
                        None => ("404 Not Found", Vec::new()),
                    };
                    let head = format!(
                        "HTTP/1.1 {status}\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                        body.len()
                    );
                    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
                });
            }
        });
        Pictures { address, heads }
    }
}

/// The beginning of a JPEG of that size: start of image, JFIF, start of frame.
fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 16];
    bytes.extend_from_slice(b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    bytes.extend_from_slice(&[0xff, 0xc0, 0, 11, 8]);
    bytes.extend_from_slice(&(height as u16).to_be_bytes());
    bytes.extend_from_slice(&(width as u16).to_be_bytes());
    bytes.extend_from_slice(&[1, 1, 0x11, 0, 0xff, 0xd9]);
    bytes
}

fn seed() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(SEED)
}

fn crawl(archive: &Path, pictures: &Pictures, relay: SocketAddr) {
    let mut command = pressmark();
    command.arg("crawl").arg(seed()).arg("--archive").arg(archive).args(["--delay", "0"]);
    for host in HOSTS {
        command.arg("--resolve").arg(format!("{host}:80:{}", pictures.address));
    }
    // The relay is asked over https; there is nobody who speaks it, or nobody at all.
    command.arg("--resolve").arg(format!("{RELAY}:443:{relay}"));
    assert!(run(&mut command).status.success());
}

fn check_article(archive: &Path) {
    let article = &rows(
        archive,
        "SELECT url, title, byline, source, published, published_from, language, images, images_kept, complete,
             lead_image, text, dates FROM article",
    )[0];
    assert_eq!(article[0], format!("file:///seeds/{SEED}"));
    assert_eq!(article[1], "在微信庞大的流量池中，哪些小程序做到了月活上亿？");
    assert!(article[2].as_str().unwrap().contains(r#"{"name":"曾宪天","role":"author"}"#), "{}", article[2]);
    assert!(article[2].as_str().unwrap().contains(r#"{"name":"郭美怡","role":"intern"}"#), "{}", article[2]);
    assert_eq!((&article[3], &article[6]), (&"ZAKER".into(), &"zh".into()));
    assert_eq!((&article[4], &article[5]), (&"2021-10-26T02:06:36Z".into(), &"seed".into()));
    assert_eq!((&article[7], &article[8], &article[9]), (&4.into(), &4.into(), &1.into()));
    assert_eq!(article[10], ORIGINALS[0].0);
    assert!(article[11].as_str().unwrap().contains("梳理榜单不难发现，抛开城市服务"), "bare text between the blocks");
    assert!(article[12].as_str().unwrap().contains("2021-10-26T09:45:12Z"), "the conflict of dates: {}", article[12]);
    let images = rows(
        archive,
        "SELECT original, kept_url, declared_width, declared_height, width, height, lead, verdict, variants
         FROM image ORDER BY position",
    );
    assert_eq!(images.len(), 4);
    for (i, (row, (url, width, height))) in images.iter().zip(ORIGINALS).enumerate() {
        assert_eq!((&row[0], &row[1]), (&url.into(), &url.into()));
        assert_eq!((&row[2], &row[3], &row[4]), (&width.into(), &height.into(), &width.into()));
        assert_eq!((&row[6], &row[7]), (&i64::from(i == 0).into(), &"complete".into()));
        let variants = row[8].as_str().unwrap();
        assert!(variants.contains(&format!("https://{RELAY}/?{url}")) && variants.contains("proxied copy"), "{variants}");
    }
}

/// The post itself is in the archive, byte for byte.
fn check_resource(archive: &Path) {
    let file = &warcs(archive)[0];
    let resource = Records::open(file, 0).unwrap().map(Result::unwrap).find(|record| record.kind() == "resource");
    let resource = resource.unwrap();
    assert_eq!(resource.field("WARC-Target-URI"), Some(format!("file:///seeds/{SEED}").as_str()));
    assert_eq!(resource.block, std::fs::read(seed()).unwrap());
}

#[test]
fn the_seed_document_is_complete_though_its_relay_is_dead() {
    let (pictures, folder) = (Pictures::serve(), tempfile::tempdir().unwrap());
    crawl(folder.path(), &pictures, nobody());
    check_article(folder.path());
    check_resource(folder.path());
    let heads = pictures.heads.lock().unwrap();
    let asked: BTreeSet<&str> = heads.iter().filter_map(|head| head.lines().next()).collect();
    assert_eq!(asked.len(), 5, "four pictures, and robots.txt of two hosts by one line: {asked:?}");
    assert!(heads.iter().all(|head| !head.to_lowercase().contains("referer:")), "the page's policy is no-referrer");
}

#[test]
fn the_relay_s_copies_are_kept_as_well_while_it_lives() {
    let (pictures, relay, folder) = (Pictures::serve(), TlsRelay::serve(), tempfile::tempdir().unwrap());
    // The relay speaks https with a certificate of our own making, which the binary has no reason to trust: the same
    // crawl through the library, whose door is told to.
    relay.crawl(folder.path(), &pictures);
    check_article(folder.path());
    let kept = rows(
        folder.path(),
        "SELECT count(*), count(DISTINCT payload_digest) FROM capture_log WHERE role = 'image' AND status = 200",
    );
    assert_eq!(kept[0], [8.into(), 4.into()] as [serde_json::Value; 2], "four originals, four copies, equal bytes");
}
