//! `pressmark extract`, as anyone tries it on a file.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const PAGE: &str = "<!doctype html><html lang=de><meta charset=utf-8><title>Der Fluss - Beispielblatt</title>\
    <meta name=referrer content=origin><link rel=stylesheet href=s.css><body><nav><a href=/>Start</a></nav>\
    <article><h1>Der Fluss</h1><p>Von Erika Muster, 4. März 2024</p>\
    <p>Der Fluss ist in diesem Frühjahr so klar wie seit dreißig Jahren nicht mehr, sagen die Fischer am Ufer.</p>\
    <figure><img src=/b/fluss.jpg width=800 height=600 alt=Fluss><figcaption>Der Fluss im März</figcaption></figure>\
    <p>Forscher haben das Wasser an zwölf Stellen geprüft und wollen im Herbst wiederkommen, um zu vergleichen.</p>\
    <p>Bis dahin bleibt das Baden verboten, und die Stadt berät über einen neuen Steg für die Ruderer.</p>\
    <p><a href=/2.html>Mehr über den Steg</a></p></article></html>";

fn pressmark() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pressmark"));
    command.arg("extract");
    command
}

#[test]
fn a_file_is_shown_as_the_extractor_sees_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fluss.html");
    std::fs::write(&file, PAGE).unwrap();
    let output = pressmark().arg(&file).args(["--url", "https://blatt.example/a/1.html"]).output().unwrap();
    assert!(output.status.success());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["kind"], "article");
    assert_eq!(found["title"], "Der Fluss");
    assert_eq!(found["byline"][0]["name"], "Erika Muster");
    assert_eq!(found["language"], "de");
    assert_eq!(found["charset"]["name"], "UTF-8");
    assert_eq!(found["charset"]["from"], "meta");
    let image = &found["images"][0];
    assert_eq!(image["url"], "https://blatt.example/b/fluss.jpg");
    assert_eq!(image["referer"], "https://blatt.example/", "the page's own policy");
    assert_eq!((&image["width"], &image["caption"]), (&json!(800), &json!("Der Fluss im März")));
    assert_eq!(found["requisites"][0], json!({"url": "https://blatt.example/a/s.css", "kind": "style"}));
    assert!(found["text"].as_str().unwrap().starts_with("Der Fluss ist"), "{}", found["text"]);
    assert!(found["html"].as_str().unwrap().contains("<figure><img src=\"https://blatt.example/b/fluss.jpg\""));
    let links: Vec<&str> = found["outlinks"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(links, ["https://blatt.example/", "https://blatt.example/2.html"]);
    let keys: Vec<&String> = found.as_object().unwrap().keys().collect();
    for key in "id url kind cut title byline source published modified dates language charset canonical_url lead_image \
        images requisites outlinks categories text html oddities"
        .split_whitespace()
    {
        assert!(keys.iter().any(|one| *one == key), "no {key}");
    }
}

#[test]
fn a_post_is_read_with_what_its_front_matter_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("post.md");
    let post = "---\ntitle: Ein Beitrag\ndate: Mon, 04 Mar 2024 02:06:36 GMT\n---\n<p>Ein kurzer Text.</p>\n";
    std::fs::write(&file, post).unwrap();
    let output = pressmark().arg(&file).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["title"], "Ein Beitrag");
    assert_eq!(found["published"]["utc"], "2024-03-04T02:06:36.000Z");
    assert_eq!(found["text"], "Ein kurzer Text.");
}

#[test]
fn each_line_is_answered_before_the_next_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    let (bytes, ..) = encoding_rs::GBK.encode("<p>3小时前　来源：山海报</p><p>这是一篇很短的文章。</p>");
    std::fs::write(&file, &bytes).unwrap();
    let mut process =
        pressmark().arg("--jsonl").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = process.stdin.take().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let mut ask = |line: String| {
        writeln!(input, "{line}").unwrap();
        let mut answer = String::new();
        output.read_line(&mut answer).unwrap();
        serde_json::from_str::<Value>(&answer).unwrap()
    };
    let url = "http://news.example/a";
    let known = json!({"id": 7, "url": url, "path": file, "content_type": "text/html; charset=gbk", "what": "ever",
        "headers": {"Referrer-Policy": "no-referrer"}, "fetched": "2024-03-05T12:30:00+08:00", "timezone": "+08:00"});
    let found = ask(known.to_string());
    assert_eq!((&found["id"], &found["url"]), (&json!(7), &json!(url)));
    assert_eq!(found["charset"], json!({"name": "GBK", "from": "header", "declared": "GBK"}));
    assert!(found["text"].as_str().unwrap().contains("很短的文章"));
    let missing = ask(json!({"id": "x", "path": folder.path().join("none.html")}).to_string());
    assert_eq!(missing["id"], "x");
    assert!(missing["error"].as_str().unwrap().contains("cannot be read"), "{missing}");
    let wrong = ask(json!({"id": 9, "path": file, "timezone": "Mars"}).to_string());
    assert!(wrong["error"].as_str().unwrap().contains("Mars"), "{wrong}");
    assert!(ask("no JSON".to_owned())["error"].is_string());
    assert_eq!(ask(json!({"id": 10, "path": file}).to_string())["id"], 10, "it goes on behind errors");
    drop(input);
    assert_eq!(process.wait().unwrap().code(), Some(1));
}

#[test]
fn a_line_that_is_no_text_is_answered_too() {
    let mut process =
        pressmark().arg("--jsonl").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    process
        .stdin
        .take()
        .unwrap()
        .write_all(b"{\"id\": 1, \"path\": \"\xff\"}\n\n{\"id\": 2, \"path\": \"none\"}\n")
        .unwrap();
    let output = process.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stdout).unwrap().lines().count()), (Some(1), 2));
}

#[test]
fn a_picture_is_no_page_and_a_drawing_may_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let code = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        pressmark().arg(file).output().unwrap().status.code()
    };
    assert_eq!(code("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08\x08\x02\0\0\0"), Some(1));
    assert_eq!(code("a.pdf", b"%PDF-1.7\n"), Some(1));
    assert_eq!(code("a.html", b"<svg xmlns='http://www.w3.org/2000/svg'><image href='/a.jpg'/></svg>"), Some(0));
    assert_eq!(code("b.html", b"\xff\xfe<\0p\0>\0x\0"), Some(0));
}

#[test]
fn an_address_that_is_none_is_said_to_be() {
    let output = pressmark().args(["--url", "not a url"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("«not a url» is no address"));
}

#[test]
fn files_of_one_host_teach_what_recurs_on_them() {
    let folder = tempfile::tempdir().unwrap();
    let recurs = "Get the ten best stories of the week in your mail every Friday, free of charge and without a catch.";
    let page = |n: usize| {
        let own = |part: usize| {
            format!(
                "<p>Report {n}, part {part}: the river rose by {n} feet, and {part} families had seen it coming.</p>"
            )
        };
        let html = format!(
            "<meta property=og:type content=article><h1>The flood of day {n}</h1>{}{}<p>{recurs}</p>{}{}",
            own(1),
            own(2),
            own(3),
            own(4)
        );
        let file = folder.path().join(format!("{n}.html"));
        std::fs::write(&file, format!("<article>{html}</article>")).unwrap();
        file
    };
    let files: Vec<_> = (0..6).map(page).collect();
    let boxes = |arguments: &[&str], files: &[std::path::PathBuf]| {
        let output = pressmark().args(arguments).args(files).output().unwrap();
        let answers = String::from_utf8(output.stdout).unwrap();
        assert_eq!(answers.lines().count(), files.len());
        answers.matches(recurs).count()
    };
    // In the text, and in the HTML of it.
    assert_eq!((boxes(&[], &files), boxes(&["--learn"], &files), boxes(&["--learn"], &files[..3])), (12, 0, 6));
}

#[test]
fn a_file_that_is_not_there_is_named_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    std::fs::write(&file, "<p>Text</p>").unwrap();
    let output = pressmark().arg(folder.path().join("none.html")).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("none.html"));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
}
