//! WACZ 1.1.1: an archive packed as one ZIP file that a browser can read by ranges. Written by [`Packer`], read by
//! [`Package`].
//!
//! What is compressed already stands in the package as it is, so that a record can be fetched by its place in it. The
//! same content makes the same bytes: entries carry no time of their own.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::Source;
use crate::web::time::Timestamp;

/// The version of the format that is written.
pub const VERSION: &str = "1.1.1";
/// Where the description of a package stands in it.
pub const DESCRIPTION: &str = "datapackage.json";
/// Where the description's digest stands.
pub const DESCRIPTION_DIGEST: &str = "datapackage-digest.json";

/// From this size on, an entry's sizes do not fit into the classic fields of a ZIP file, less what its packing may add.
const LARGE: u64 = (1 << 32) - (1 << 24);

/// How an entry stands in a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// As it is, for what is compressed already; it will be about so many bytes long.
    Stored(u64),
    /// Deflated; for text that is read as a whole.
    Deflated,
}

/// What a package says of itself.
#[derive(Clone, Debug)]
pub struct About {
    /// For people.
    pub title: String,
    /// What it holds was captured up to then.
    pub created: Timestamp,
    /// Who made it.
    pub software: String,
}

/// A file in a package, as its description lists it.
#[derive(Clone, Debug, Serialize)]
struct Resource {
    name: String,
    path: String,
    hash: String,
    bytes: u64,
}

/// Writes a package: [`Packer::begin`] an entry, write to it, begin the next, [`Packer::finish`].
pub struct Packer<W: Write + Seek> {
    zip: ZipWriter<W>,
    resources: Vec<Resource>,
    hash: Sha256,
}

impl<W: Write + Seek> Packer<W> {
    /// An empty package.
    pub fn new(out: W) -> Packer<W> {
        Packer { zip: ZipWriter::new(out), resources: Vec::new(), hash: Sha256::new() }
    }

    /// Begins an entry; what is written from now on is its content.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(&mut self, path: &str, manner: Manner) -> io::Result<()> {
        self.close();
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        self.resources.push(Resource { name, path: path.to_owned(), hash: String::new(), bytes: 0 });
        self.start(path, manner)
    }

    fn start(&mut self, path: &str, manner: Manner) -> io::Result<()> {
        let (method, size) = match manner {
            Manner::Stored(size) => (CompressionMethod::Stored, size),
            Manner::Deflated => (CompressionMethod::Deflated, 0),
        };
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(size >= LARGE);
        Ok(self.zip.start_file(path, options)?)
    }

    fn close(&mut self) {
        if let Some(last) = self.resources.last_mut().filter(|last| last.hash.is_empty()) {
            last.hash = labelled(std::mem::take(&mut self.hash));
        }
    }

    /// Describes what was packed, and ends the package.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self, about: &About) -> io::Result<W> {
        self.close();
        let created = about.created.iso();
        let description = json!({
            "profile": "data-package",
            "wacz_version": VERSION,
            "title": about.title,
            "software": about.software,
            "created": created,
            "modified": created,
            "resources": self.resources,
        });
        let description = format!("{description:#}\n");
        let hash = labelled(Sha256::new_with_prefix(&description));
        let digest = format!("{:#}\n", json!({"path": DESCRIPTION, "hash": hash}));
        for (path, text) in [(DESCRIPTION, description), (DESCRIPTION_DIGEST, digest)] {
            self.start(path, Manner::Deflated)?;
            self.zip.write_all(text.as_bytes())?;
        }
        Ok(self.zip.finish()?)
    }
}

impl<W: Write + Seek> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.zip.write(bytes)?;
        self.hash.update(&bytes[..written]);
        if let Some(last) = self.resources.last_mut() {
            last.bytes += written as u64;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}

fn labelled(hash: Sha256) -> String {
    format!("sha256:{}", data_encoding::HEXLOWER.encode(&hash.finalize()))
}

/// A package, opened for reading.
pub struct Package {
    zip: ZipArchive<File>,
    source: Source,
}

/// One file in a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path in the package.
    pub path: String,
    /// Its length, unpacked.
    pub size: u64,
    /// It stands there as it is.
    pub is_stored: bool,
    /// Where its bytes begin in the package.
    pub offset: u64,
}

impl Package {
    /// Opens a package of any tool.
    ///
    /// # Errors
    /// When it is no ZIP file, or cannot be read.
    pub fn open(path: &Path) -> io::Result<Package> {
        Ok(Package { zip: ZipArchive::new(File::open(path)?)?, source: Source::open(path)? })
    }

    /// The files in it, in the order of its directory.
    ///
    /// # Errors
    /// When its directory says what cannot be.
    pub fn entries(&mut self) -> io::Result<Vec<Entry>> {
        let count = self.zip.len();
        let entry = |number| {
            let file = self.zip.by_index_raw(number)?;
            let offset = file.data_start().ok_or(io::ErrorKind::InvalidData)?;
            let is_stored = file.compression() == CompressionMethod::Stored;
            Ok(Entry { path: file.name()?.into_owned(), size: file.size(), is_stored, offset })
        };
        (0..count).map(entry).collect()
    }

    /// The content of a file, unpacked as it is read; its checksum is looked at where it ends.
    ///
    /// # Errors
    /// When there is no such file, or it is packed in a way that is not known.
    pub fn read(&mut self, path: &str) -> io::Result<impl Read> {
        Ok(self.zip.by_name(path)?)
    }

    /// The bytes of a file that stands there as it is, to be read at any place.
    pub fn stored(&self, entry: &Entry) -> Option<Source> {
        entry.is_stored.then(|| self.source.part(entry.offset, entry.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wacz");
        let mut packer = Packer::new(File::create(&path).unwrap());
        packer.begin("archive/a.warc.gz", Manner::Stored(LARGE)).unwrap();
        packer.write_all(b"record").unwrap();
        packer.begin("pages/pages.jsonl", Manner::Deflated).unwrap();
        packer.write_all(&[b'x'; 999]).unwrap();
        let about = About { title: "T".to_owned(), created: Timestamp(0), software: "s".to_owned() };
        packer.finish(&about).unwrap();

        let mut package = Package::open(&path).unwrap();
        let entries = package.entries().unwrap();
        assert_eq!(entries[0].path, "archive/a.warc.gz");
        assert_eq!((entries[1].size, entries[1].is_stored), (999, false));
        let mut bytes = [0; 9];
        let read = package.stored(&entries[0]).unwrap().read_at(2, &mut bytes).unwrap();
        assert_eq!(&bytes[..read], b"cord");
        assert!(package.stored(&entries[1]).is_none());
        let text = io::read_to_string(package.read(DESCRIPTION).unwrap()).unwrap();
        let description: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(description["resources"][1]["path"], "pages/pages.jsonl");
        assert_eq!(description["resources"][0]["hash"], labelled(Sha256::new_with_prefix(b"record")));
        assert_eq!(description["created"], "1970-01-01T00:00:00.000Z");
        let digest = io::read_to_string(package.read(DESCRIPTION_DIGEST).unwrap()).unwrap();
        assert!(digest.contains(&labelled(Sha256::new_with_prefix(&text))), "{digest}");
    }
}
