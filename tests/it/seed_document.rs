//! The user's own seed document, with its hosts mapped to a local server: once with the relay alive, once dead.

use std::net::SocketAddr;
use std::path::Path;

use pressmark::archive::Records;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::archive_run::check_every_reader;
use crate::lantern::{nobody, pressmark, rows, run, warcs};
use crate::origin::{Authority, Line, Origin};

const SEED: &str = "zaker-mini-programs.md";
const RELAY: &str = "cors.zfour.workers.dev";
const HOSTS: [&str; 2] = ["zkres1.myzaker.com", "zkres2.myzaker.com"];
const ORIGINALS: [(&str, u32, u32); 4] = [
    ("http://zkres1.myzaker.com/202110/6177ce288e9f096a0d7cfd69_1024.jpg", 1700, 1133),
    ("http://zkres2.myzaker.com/202110/6177ce288e9f096a0d7cfd6a_1024.jpg", 661, 480),
    ("http://zkres1.myzaker.com/202110/6177ce288e9f096a0d7cfd6b_1024.jpg", 1024, 683),
    ("http://zkres2.myzaker.com/202110/6177ce288e9f096a0d7cfd6c_1024.jpg", 960, 566),
];

/// Answers every picture with a JPEG header of its declared size, everything else with 404.
async fn pictures(tls: Option<TlsAcceptor>) -> Origin {
    Origin::start(tls, |mut line: Line| async move {
        while let Some(head) = line.request().await {
            let head = String::from_utf8(head).unwrap();
            let asked = head.lines().next().unwrap_or("");
            let name = |url: &str| url.rsplit('/').next().unwrap().to_owned();
            let (status, body) = match ORIGINALS.iter().find(|(url, _, _)| asked.contains(&name(url))) {
                Some((_, width, height)) => ("200 OK", jpeg(*width, *height)),
                None => ("404 Not Found", Vec::new()),
            };
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", body.len());
            if !line.say(&[head.as_bytes(), &body].concat()).await {
                return;
            }
        }
    })
    .await
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

/// The built binary on the seed document; the relay is asked over https.
fn crawl(archive: &Path, pictures: SocketAddr, relay: SocketAddr, ca_file: Option<&Path>) {
    let mut command = pressmark();
    command.arg("crawl").arg(seed()).arg("--archive").arg(archive).args(["--delay", "0"]);
    for host in HOSTS {
        command.arg("--resolve").arg(format!("{host}:80:{pictures}"));
    }
    command.arg("--resolve").arg(format!("{RELAY}:443:{relay}"));
    if let Some(ca_file) = ca_file {
        command.arg("--ca-file").arg(ca_file).args(["--digest", "sha256"]);
    }
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
        assert!(
            variants.contains(&format!("https://{RELAY}/?{url}")) && variants.contains("proxied copy"),
            "{variants}"
        );
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
    let (runtime, folder) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap());
    let pictures = runtime.block_on(pictures(None));
    crawl(folder.path(), pictures.address, nobody(), None);
    check_article(folder.path());
    check_resource(folder.path());
    check_every_reader(folder.path());
    let heads: Vec<String> =
        pictures.requests().into_iter().map(|head| String::from_utf8(head).unwrap().to_lowercase()).collect();
    assert_eq!(heads.len(), 6, "four pictures, and robots.txt of two hosts: {heads:?}");
    assert!(heads.iter().all(|head| !head.contains("referer:")), "the page's policy is no-referrer: {heads:?}");
}

#[test]
fn the_relay_s_copies_are_kept_as_well_while_it_lives() {
    let (runtime, folder, authority) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap(), Authority::new());
    let originals = runtime.block_on(pictures(None));
    let relay = runtime.block_on(pictures(Some(authority.certify(RELAY).0)));
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, authority.pem()).unwrap();
    let archive = folder.path().join("archive");
    crawl(&archive, originals.address, relay.address, Some(&ca_file));
    check_article(&archive);
    check_resource(&archive);
    check_every_reader(&archive);
    let kept = rows(
        &archive,
        "SELECT count(*), count(DISTINCT payload_digest) FROM capture_log WHERE role = 'image' AND status = 200",
    );
    assert_eq!(kept[0], [serde_json::Value::from(8), 4.into()], "four originals, four copies, equal bytes");
}
