//! What a page costs in the archive: the pages of one site, packed in each way there is.
//!
//! Pages of a site share more than half of what they are. The ones made here do so by design; `PRESSMARK_PAGES=FOLDER`
//! measures the HTML files below a folder in their place.

use std::path::Path;
use std::time::Instant;

use pressmark::archive::{self, Codebook, Compress, Notes, Options, Stored};
use pressmark::web::candidate::Role;
use pressmark::web::digest::Algorithm;
use pressmark::web::exchange::Exchange;

use super::{Chance, Failure, Measured, SEED, answer_len, append, exchange, middle, page};

const PAGES: usize = 600;
/// So many pages of a folder are read, the first by name.
const MOST: usize = 1500;

pub(super) fn measure(folder: &Path) -> Result<(), Failure> {
    let (what, exchanges) = match std::env::var_os("PRESSMARK_PAGES") {
        Some(pages) => (format!("pages of {}", Path::new(&pages).display()), pages_of(Path::new(&pages))?),
        None => (format!("pages of one site, made (seed {SEED})"), site()?),
    };
    let bytes: usize = exchanges.iter().map(answer_len).sum();
    let (count, mean) = (exchanges.len(), bytes as f64 / 1e3 / exchanges.len() as f64);
    println!("writing: {count} {what}, {mean:.1} KB each, {:.1} MB in all", bytes as f64 / 1e6);
    let gzip = middle(|| append(folder, &exchanges, Compress::Gzip))?;
    let rows = [
        ("gzip level 6", gzip.clone()),
        ("zstd level 9, no dictionary (encoded, not appended)", middle(|| encoded(folder, &exchanges))?),
        (
            "zstd level 9, the dictionary its own first pages give",
            middle(|| append(folder, &exchanges, Compress::Zstd))?,
        ),
    ];
    println!("{:<58} {:>9} {:>8} {:>9} {:>7}", "", "pages/s", "MB out", "KB a page", "size");
    for (what, Measured { took, out }) in &rows {
        println!(
            "{what:<58} {:>9.0} {:>8.2} {:>9.2} {:>7.3}",
            count as f64 / took.as_secs_f64(),
            *out as f64 / 1e6,
            *out as f64 / 1e3 / count as f64,
            *out as f64 / gzip.out as f64,
        );
    }
    println!("size: all files, the first line being 1. Request and metadata records are counted in.\n");
    Ok(())
}

/// Pages with the same head, menu and foot, and a text of their own.
fn site() -> Result<Vec<Exchange>, Failure> {
    let mut chance = Chance(SEED);
    let frame: Vec<Vec<u8>> = (0..2).map(|_| page(&mut chance)[..12_000].to_vec()).collect();
    let pages = (0..PAGES).map(|number| {
        let body = [&frame[0], &page(&mut chance)[..10_000], &frame[1]].concat();
        exchange(&format!("/{number}.html"), "text/html; charset=utf-8", body)
    });
    pages.collect()
}

/// The HTML files below a folder, in the order of their names.
fn pages_of(folder: &Path) -> Result<Vec<Exchange>, Failure> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "html") {
                files.push(path);
            }
        }
    }
    files.sort();
    let numbered = files.iter().take(MOST).enumerate();
    numbered.map(|(number, file)| exchange(&format!("/{number}.html"), "text/html", std::fs::read(file)?)).collect()
}

fn encoded(folder: &Path, exchanges: &[Exchange]) -> Result<Measured, Failure> {
    let (codebook, framing, spool_dir) = (Codebook::default(), Stored::Entity, folder.to_owned());
    let compress = Compress::Zstd;
    let options = Options { digest: Algorithm::Sha1, compress, codebook, framing, dns_records: false, spool_dir };
    let (began, mut out) = (Instant::now(), 0);
    for exchange in exchanges {
        let notes = Notes::new("http://news.example/feed.xml", Role::Page);
        out += archive::encode(exchange, notes, &options)?.ok_or("an answer is missing")?.len();
    }
    Ok(Measured { took: began.elapsed(), out })
}
