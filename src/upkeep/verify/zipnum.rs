//! The index of a packed index (ZipNum): each line of an `.idx` file names a block of the `.cdx.gz` beside it, which
//! readers fetch and unpack alone.

use std::io::{BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use serde_json::Value;
use sha2::Digest as _;

use super::finding::{Code, INDEX_ALONE, INDEX_DIFFERS, INDEX_LINE, INDEX_ORDER};
use crate::archive::Source;
use crate::web::message::text;

/// A longer line is none.
const LINE_MAX: u64 = 1 << 20;
/// A block is read into memory, and none is so long.
const BLOCK_MAX: u64 = 64 << 20;

/// The blocks that have been passed.
#[derive(Default)]
struct Before {
    key: String,
    file: String,
    end: u64,
}

/// Verifies the lines of an `.idx` file: they are in order, and the blocks they name follow each other, unpack, are what
/// their digests say and begin with the line that is named. `open` finds a packed index by its name; `say` is told where
/// in the lines it is.
pub(super) fn verify(
    lines: impl Read,
    open: &mut dyn FnMut(&str) -> Option<Source>,
    say: &mut dyn FnMut(&'static Code, u64, String),
) {
    let mut lines = BufReader::new(lines);
    let (mut at, mut default, mut before) = (0, String::new(), Before::default());
    loop {
        let mut bytes = Vec::new();
        match lines.by_ref().take(LINE_MAX).read_until(b'\n', &mut bytes) {
            Ok(1..) => {}
            // What cannot be read has been said.
            Ok(0) | Err(_) => break,
        }
        let line = text(&bytes);
        let (key, json) = line.split_once('{').unwrap_or((&line, ""));
        let place: Value = serde_json::from_str(&format!("{{{json}")).unwrap_or_default();
        if key.starts_with("!meta") {
            place["filename"].as_str().unwrap_or_default().clone_into(&mut default);
        } else {
            let key = key.trim_end();
            let mut told = |code, what: String| say(code, at, what);
            check(key, &place, place["filename"].as_str().unwrap_or(&default), &mut before, open, &mut told);
        }
        at += bytes.len() as u64;
    }
    if let Some(packed) = open(&before.file).filter(|packed| packed.len() > before.end) {
        let text = format!("it ends at {} of «{}», which is {} bytes long", before.end, before.file, packed.len());
        say(&INDEX_DIFFERS, at, text);
    }
}

/// One line: the key of the first line of a block, and where the block is.
fn check(
    key: &str,
    place: &Value,
    file: &str,
    before: &mut Before,
    open: &mut dyn FnMut(&str) -> Option<Source>,
    say: &mut dyn FnMut(&'static Code, String),
) {
    let number = |name: &str| place[name].as_u64().or_else(|| place[name].as_str()?.parse().ok());
    let (Some(offset), Some(length)) = (number("offset"), number("length")) else {
        return say(&INDEX_LINE, "a line of blocks is a key and an object with offset and length".to_owned());
    };
    if before.key.as_str() > key {
        say(&INDEX_ORDER, "the line sorts before the one before it".to_owned());
    }
    let wanted = if before.file == file { before.end } else { 0 };
    if offset != wanted {
        say(&INDEX_DIFFERS, format!("the block is said to begin at {offset}; the one before it ends at {wanted}"));
    }
    *before = Before { key: key.to_owned(), file: file.to_owned(), end: offset.saturating_add(length) };
    let Some(packed) = open(file) else {
        return say(&INDEX_ALONE, format!("«{file}» is not here, or is compressed once more"));
    };
    let block = match bytes_of(&packed.part(offset, length)) {
        Ok(block) if block.len() as u64 == length => block,
        Ok(block) => {
            let text = format!("«{file}» has {} bytes of the block at {offset}, not {length}", block.len());
            return say(&INDEX_DIFFERS, text);
        }
        Err(cause) => return say(&INDEX_DIFFERS, format!("the block at {offset} cannot be read: {cause}")),
    };
    let digest = place["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:"));
    if digest.is_some_and(|digest| digest != data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(&block))) {
        say(&INDEX_DIFFERS, format!("the block at {offset} is not what its digest says"));
    }
    let mut unpacked = BufReader::new(MultiGzDecoder::new(&block[..]));
    let mut first = Vec::new();
    let read = unpacked.by_ref().take(LINE_MAX).read_until(b'\n', &mut first);
    match read.and_then(|_| std::io::copy(&mut unpacked, &mut std::io::sink())) {
        Err(cause) => say(&INDEX_DIFFERS, format!("the block at {offset} does not unpack alone: {cause}")),
        Ok(_) if text(&first).starts_with(key) => {}
        Ok(_) => say(&INDEX_DIFFERS, format!("the block at {offset} begins with another line than «{key}»")),
    }
}

fn bytes_of(part: &Source) -> std::io::Result<Vec<u8>> {
    if part.len() > BLOCK_MAX {
        return Err(std::io::Error::other(format!("it is longer than {BLOCK_MAX} bytes")));
    }
    let mut bytes = vec![0; usize::try_from(part.len()).map_err(std::io::Error::other)?];
    let read = part.read_at(0, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn every_block_is_where_its_line_says() {
        let gzip = |text: &str| {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(text.as_bytes()).unwrap();
            gzip.finish().unwrap()
        };
        let (one, two) = (gzip("a 1 {}\nb 1 {}\n"), gzip("c 1 {}\n"));
        let (long, short) = (one.len(), two.len());
        let digest = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(&one));
        let packed = Source::memory([one, two].concat());
        let good = format!(
            "!meta 0 {{\"format\": \"cdxj-gzip-1.0\", \"filename\": \"x.cdx.gz\"}}\n\
             a 1 {{\"offset\": 0, \"length\": {long}, \"digest\": \"sha256:{digest}\"}}\n\
             c 1 {{\"offset\": {long}, \"length\": {short}, \"filename\": \"x.cdx.gz\"}}\n"
        );
        for (from, to, want) in [
            ("", "", vec![]),
            ("a 1", "b 1", vec!["index-differs"]),
            ("c 1", "Z 1", vec!["index-order", "index-differs"]),
            (&*format!("\"length\": {short},"), "\"length\": 2,", vec!["index-differs"; 2]),
            (&*format!("\"offset\": {long},"), "\"offset\": 1,", vec!["index-differs"; 3]),
            (&*digest, "00", vec!["index-differs"]),
            (&*format!("\"length\": {short},"), "", vec!["index-line", "index-differs"]),
            ("\"x.cdx.gz\"", "\"y.cdx.gz\"", vec!["index-alone", "index-alone"]),
            ("\"offset\": 0,", "\"offset\": 18446744073709551615,", vec!["index-differs"; 3]),
        ] {
            let mut found = Vec::new();
            verify(
                good.replace(from, to).as_bytes(),
                &mut |name| (name == "x.cdx.gz").then(|| packed.clone()),
                &mut |code, _, text| found.push((code.name, text)),
            );
            assert_eq!(found.iter().map(|(name, _)| *name).collect::<Vec<_>>(), want, "{from} {to}: {found:?}");
        }
    }
}
