//! Pages in every charset and packed in every way, read by `extract` and by a whole crawl.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::lantern::{pressmark, rows, run};
use crate::origin::{Line, Origin};

/// A page of an article in Chinese whose headline says how it was sent, in a charset.
fn page(charset: &str, head: &str, headline: &str, links: &str) -> Vec<u8> {
    let story = "河水自秋天起就变清了，人们又开始下水游泳。岸边的老人说，上一次见到这样的河还是四十年前。".repeat(12);
    let html = format!(
        "<html><head>{head}<meta property=og:type content=article><title>{headline}</title></head><body><article>\
         <h1>{headline}</h1><p>文 / 林晚舟</p><p>{story}</p><p>{story}</p>{links}</article></body></html>"
    );
    let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).unwrap();
    let (bytes, used, _) = encoding.encode(&html);
    assert_eq!(used, encoding, "nothing is written in {charset}");
    bytes.into_owned()
}

/// What `extract --jsonl` answers to each of these lines.
fn extracted(lines: &[Value]) -> Vec<Value> {
    let mut child =
        pressmark().args(["extract", "--jsonl"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for line in lines {
        writeln!(input, "{line}").unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn extract_says_which_charset_was_declared_and_which_was_used() {
    let folder = TempDir::new().unwrap();
    let gbk = "<meta charset=gb2312>";
    let cases = [
        // Written in, head, Content-Type, name, from, declared, a contradiction is said.
        ("gbk", gbk, "text/html", "GBK", "meta", json!("GBK"), false),
        ("gbk", "", "text/html; charset=GB2312", "GBK", "header", json!("GBK"), false),
        ("gbk", "<meta charset=utf-8>", "text/html; charset=gbk", "GBK", "header", json!("GBK"), true),
        ("gbk", "<meta charset=utf-8>", "text/html", "GBK", "guess", json!("UTF-8"), true),
        ("gbk", "", "text/html", "GBK", "guess", json!(null), false),
        ("gb18030", "<meta charset=gb18030>", "text/html; charset=gbk", "GBK", "header", json!("GBK"), false),
        ("utf-8", gbk, "text/html", "UTF-8", "guess", json!("GBK"), true),
        ("utf-8", "<meta charset=utf8mb4>", "text/html", "UTF-8", "guess", json!("utf8mb4"), true),
    ];
    let lines: Vec<Value> = cases
        .iter()
        .enumerate()
        .map(|(id, (charset, head, media, ..))| {
            let path = folder.path().join(format!("{id}.html"));
            std::fs::write(&path, page(charset, head, "城市里的河", "<a href='?q=河'>q</a>")).unwrap();
            json!({"id": id, "url": "http://h.example/a", "path": path, "headers": {"Content-Type": media}})
        })
        .collect();
    for (found, (charset, head, media, name, from, declared, odd)) in extracted(&lines).iter().zip(cases) {
        let context = format!("{charset} {head} {media}: {}", found["oddities"]);
        assert_eq!(found["charset"], json!({"name": name, "from": from, "declared": declared}), "{context}");
        assert_eq!(found["title"], "城市里的河", "{context}");
        let oddities = found["oddities"].as_array().unwrap();
        let said = oddities.iter().any(|one| one.as_str().unwrap().starts_with("charset: "));
        assert_eq!(said, odd, "{context}");
        // The query of a link is in the charset its page is read in.
        let query = if name == "UTF-8" { "%E6%B2%B3" } else { "%BA%D3" };
        assert_eq!(found["outlinks"], json!([format!("http://h.example/a?q={query}")]), "{context}");
    }
}

#[test]
fn queries_of_links_are_in_the_charset_of_their_page() {
    let folder = TempDir::new().unwrap();
    let html = "<p><a href='/路?q=中 a'>x</a>";
    let utf16 =
        |bytes: fn(u16) -> [u8; 2]| html.encode_utf16().chain(['\n' as u16]).flat_map(bytes).collect::<Vec<u8>>();
    let cases = [
        (encoding_rs::GBK.encode(html).0.into_owned(), "gbk", "%D6%D0%20a"),
        (encoding_rs::BIG5.encode(html).0.into_owned(), "big5", "%A4%A4%20a"),
        (encoding_rs::SHIFT_JIS.encode(html).0.into_owned(), "shift_jis", "%92%86%20a"),
        (encoding_rs::EUC_KR.encode(html).0.into_owned(), "euc-kr", "%F1%E9%20a"),
        // What a charset cannot write becomes a reference (URL, 5.1).
        (b"<p><a href='/&#36335;?q=&#20013; a'>x</a>".to_vec(), "windows-1252", "%26%2320013%3B%20a"),
        // No query is ever in UTF-16 (URL, 4.3).
        (utf16(u16::to_le_bytes), "utf-16le", "%E4%B8%AD%20a"),
        (utf16(u16::to_be_bytes), "utf-16be", "%E4%B8%AD%20a"),
    ];
    let lines: Vec<Value> = cases
        .iter()
        .map(|(bytes, charset, _)| {
            let path = folder.path().join(charset);
            std::fs::write(&path, bytes).unwrap();
            let media = format!("text/html; charset={charset}");
            json!({"id": charset, "url": "http://h.example/a", "path": path, "content_type": media})
        })
        .collect();
    for (found, (_, charset, query)) in extracted(&lines).iter().zip(cases) {
        assert_eq!(found["outlinks"], json!([format!("http://h.example/%E8%B7%AF?q={query}")]), "{charset}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// How each page is sent: its path, the fields of its head, the bytes made of it, and how what is odd about it begins.
type Sent = (&'static str, &'static str, fn(Vec<u8>) -> Vec<u8>, &'static str);

const SENT: [Sent; 9] = [
    ("/plain", "", |page| page, ""),
    ("/gzip", "Content-Encoding: gzip\r\n", |page| gzip(&page), ""),
    ("/zstd", "Content-Encoding: zstd\r\n", |page| zstd::encode_all(&page[..], 1).unwrap(), ""),
    ("/stacked", "Content-Encoding: deflate\r\nContent-Encoding: gzip\r\n", |page| gzip(&deflate(&page)), ""),
    ("/members", "Content-Encoding: gzip\r\n", |page| [gzip(&page[..99]), gzip(&page[99..])].concat(), ""),
    ("/said", "Content-Encoding: gzip\r\n", |page| page, "not gzip"),
    ("/unsaid", "", |page| gzip(&page), "gzip, which the head does not say"),
    ("/otherwise", "Content-Encoding: br\r\n", |page| gzip(&page), "said to be br, is gzip"),
    (
        "/behind",
        "Content-Encoding: gzip\r\n",
        |page| [gzip(&page), b"<!-- -->".to_vec()].concat(),
        "what stands behind",
    ),
];

async fn serve(mut line: Line) {
    while let Some(head) = line.request().await {
        let path = String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().to_owned();
        let said = match SENT.iter().find(|(one, ..)| *one == path) {
            Some((_, fields, pack, _)) => {
                let body = pack(page("gbk", "<meta charset=gb2312>", &format!("河水变清了 {path}"), ""));
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{fields}Content-Length: {}\r\n\r\n",
                    body.len()
                );
                [head.into_bytes(), body].concat()
            }
            None => b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".to_vec(),
        };
        line.say(&said).await;
    }
}

#[test]
fn a_crawl_reads_pages_however_they_are_packed() {
    let (runtime, folder) = (Runtime::new().unwrap(), TempDir::new().unwrap());
    let origin = runtime.block_on(Origin::start(None, serve));
    let archive = folder.path().join("archive");
    let mut command = pressmark();
    command.args(["crawl", "--delay", "0", "--timeout", "5s", "--archive"]).arg(&archive);
    command.arg("--resolve").arg(format!("h.example:80:{}", origin.address));
    command.args(SENT.iter().map(|(path, ..)| format!("http://h.example{path}")));
    run(&mut command);
    let found = rows(&archive, "SELECT url, title, charset, oddities FROM article ORDER BY url");
    assert_eq!(found.len(), SENT.len(), "{found:?}");
    for row in found {
        let text = |at: usize| row[at].as_str().unwrap();
        let path = text(0).strip_prefix("http://h.example").unwrap();
        let (.., odd) = SENT.iter().find(|(one, ..)| *one == path).unwrap();
        assert_eq!((text(1), text(2)), (format!("河水变清了 {path}").as_str(), "GBK"), "{path}");
        let said: Vec<String> = serde_json::from_str(text(3)).unwrap();
        let is_said = said.len() == usize::from(!odd.is_empty()) && said.iter().all(|one| one.starts_with(odd));
        assert!(is_said, "{path}: {said:?}");
    }
    let found = rows(&archive, "SELECT DISTINCT charset, charset_from, charset_declared, contradicted FROM charset");
    assert_eq!(found, [[json!("GBK"), json!("meta"), json!("GBK"), json!(0)]]);
}
