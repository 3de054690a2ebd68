//! `export`: all of an archive or a selection, packed for the journey: a CDXJ index, WARC files, or a WACZ package.
//!
//! Whole groups of records travel, as they stand where the packing stays the same. What is there afterwards is whole:
//! an export that fails or is called off leaves nothing behind, and none takes the place of a file unasked.

mod copy;
mod output;
mod shelf;
mod sorted;

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest, Sha256};

use self::copy::{Copied, Copier, Stretch, each_record};
use self::output::Output;
use self::shelf::{Folder, InPackage, OneFile, Shelf};
use self::sorted::Sorted;
use super::{Error, Watch};
use crate::archive::Compress;
use crate::archive::cdxj::Line;
use crate::archive::wacz::{About, Manner, Packer};
use crate::crawl::DATABASE;
use crate::store::{PageRow, Reader, Selection};
use crate::web::digest::fingerprint;
use crate::web::time::Timestamp;

/// Lines of one block of a ZipNum index: the block is what a look-up reads.
const BLOCK: usize = 300;
/// Who makes the files.
const SOFTWARE: &str = concat!("pressmark/", env!("CARGO_PKG_VERSION"));

/// What is exported, and where to.
#[derive(Clone, Debug)]
pub struct Export {
    /// The folder of the archive.
    pub archive: PathBuf,
    /// Which part of it.
    pub selection: Selection,
    /// The file, or for WARC files the folder.
    pub out: PathBuf,
    /// It may take the place of what is there.
    pub force: bool,
}

/// What an archive consists of (docs/formats.md); the names of its database begin with the last one.
const OWN: [&str; 7] = ["warc", "damaged", "spool", "takedown.jsonl", "README.md", ".lock", DATABASE];

impl Export {
    /// Refuses places that are taken for good: in the archive, or where the input is.
    fn check_place(&self, inputs: &[PathBuf]) -> Result<(), Error> {
        let refuse = |why: &str| Err(Error::Request(format!("{} {why}: name another", self.out.display())));
        let real = |path: &Path| path.canonicalize().ok();
        let name = self.out.file_name().unwrap_or_default();
        let out = real(output::folder(&self.out)).map(|folder| folder.join(name));
        let inside = real(&self.archive).and_then(|archive| Some(out.as_ref()?.strip_prefix(archive).ok()?.to_owned()));
        let first = inside.as_deref().and_then(|path| path.iter().next()).map(|first| first.to_string_lossy());
        if first.is_some_and(|first| OWN.contains(&&*first) || first.starts_with(DATABASE)) {
            return refuse("is a part of the archive");
        }
        if out.is_some() && inputs.iter().any(|input| real(input) == out) {
            return refuse("is what is read");
        }
        match self.out.symlink_metadata() {
            Ok(there) if !there.is_file() && !there.is_dir() => refuse("is there already and no file"),
            _ => Ok(()),
        }
    }
}

/// How WARC files are made.
#[derive(Clone, Copy, Debug)]
pub struct Packing {
    /// How records are compressed; those that are so already are copied byte for byte.
    pub compress: Compress,
    /// In a folder, a file that has reached this size is followed by another.
    pub max_size: u64,
}

/// What was exported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Records that were copied; of an index, its lines.
    pub records: u64,
    /// Pages that a package lists.
    pub pages: u64,
    /// Files that were written.
    pub files: u64,
}

/// The index of the archive, or of these files, as `cdxj-indexer --sort` makes it.
///
/// # Errors
/// [`Error::Interrupted`]; [`Error::Request`] when there is nothing to export, or such a file already;
/// [`Error::Damage`] when a record cannot be read; or what the disk or the database refuses.
pub fn cdxj(export: &Export, files: &[PathBuf], watch: Watch<'_>) -> Result<Exported, Error> {
    export.check_place(files)?;
    let output = Output::begin(&export.out, export.force)?;
    let mut out = BufWriter::new(output.file());
    let exported = print_cdxj(export, files, watch, &mut out)?;
    out.flush().map_err(Error::io("write", &export.out))?;
    drop(out);
    output.finish()?;
    Ok(exported)
}

/// The same, written to whoever reads it.
///
/// # Errors
/// As [`cdxj`].
pub fn print_cdxj(
    export: &Export,
    files: &[PathBuf],
    watch: Watch<'_>,
    out: &mut dyn Write,
) -> Result<Exported, Error> {
    let stretches = match files {
        [] => export.stretches(&Reader::open(&export.archive.join(DATABASE))?)?,
        files => files.iter().map(|file| Stretch::whole(file)).collect::<Result<_, _>>()?,
    };
    let mut lines = Sorted::default();
    let keep = |cause| Error::io("sort the lines of", &export.out)(cause);
    each_record(&stretches, watch, &mut |stretch, head, reading| {
        let (line, end) = Line::of(head, reading, &stretch.name).map_err(Error::io("read", &stretch.path))?;
        line.map_or(Ok(()), |line| lines.push(line.to_string())).map_err(keep)?;
        Ok(end)
    })?;
    let mut exported = Exported { files: 1, ..Exported::default() };
    let written = lines.each::<std::io::Error>(|line| {
        exported.records += 1;
        writeln!(out, "{line}")
    });
    written.map_err(Error::io("write", &export.out))?;
    Ok(exported)
}

/// The records as WARC files: one, or in a folder as many as their size asks for. Which one is wanted the ending says.
///
/// # Errors
/// As [`cdxj`].
pub fn warc(export: &Export, packing: Packing, watch: Watch<'_>) -> Result<Exported, Error> {
    export.check_place(&[])?;
    let reader = Reader::open(&export.archive.join(DATABASE))?;
    if compress_of(&export.out).is_some() {
        let output = Output::begin(&export.out, export.force)?;
        let one = Packing { max_size: u64::MAX, ..packing };
        let exported = export.copy_to(&mut OneFile::new(&output), &reader, one, watch, &mut |_| Ok(()))?;
        output.finish()?;
        Ok(exported)
    } else {
        let mut folder = Folder::begin(&export.out, packing.compress)?;
        let exported = export.copy_to(&mut folder, &reader, packing, watch, &mut |_| Ok(()))?;
        folder.finish()?;
        Ok(exported)
    }
}

/// The records, their index and the list of their pages as one WACZ package.
///
/// # Errors
/// As [`cdxj`].
pub fn wacz(export: &Export, title: Option<&str>, max_size: u64, watch: Watch<'_>) -> Result<Exported, Error> {
    export.check_place(&[])?;
    let output = Output::begin(&export.out, export.force)?;
    let reader = Reader::open(&export.archive.join(DATABASE))?;
    let mut lines = Sorted::default();
    let failed = |cause| Error::io("write", &export.out)(cause);
    let mut packer = Packer::new(BufWriter::new(output.file()));
    let packing = Packing { compress: Compress::Gzip, max_size };
    let keep = &mut |line: Line| lines.push(line.to_string()).map_err(failed);
    // Packing anew never doubles a record.
    let most = 2 * reader.files()?.iter().map(|file| file.length).sum::<u64>();
    let copied = export.copy_to(&mut InPackage::new(&mut packer, most), &reader, packing, watch, keep)?;

    let blocks = index(&mut packer, lines).map_err(failed)?;
    packer.begin("indexes/index.idx", Manner::Deflated).map_err(failed)?;
    packer.write_all(blocks.as_bytes()).map_err(failed)?;

    let pages = reader.pages(&export.selection)?;
    packer.begin("pages/pages.jsonl", Manner::Deflated).map_err(failed)?;
    list_pages(&mut packer, &pages).map_err(failed)?;

    let title = title.map_or_else(|| title_of(&pages), str::to_owned);
    let created = reader.newest(&export.selection)?.unwrap_or_default();
    let about = About { title, created, software: SOFTWARE.to_owned() };
    packer.finish(&about).and_then(|mut out| out.flush()).map_err(failed)?;
    output.finish()?;
    Ok(Exported { pages: pages.len() as u64, ..copied })
}

/// How a file of this name is compressed; none when it is no name of a WARC file.
pub fn compress_of(path: &Path) -> Option<Compress> {
    let name = path.file_name()?.to_str()?;
    let endings = [(".warc.gz", Compress::Gzip), (".warc.zst", Compress::Zstd), (".warc", Compress::None)];
    endings.into_iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, compress)| compress)
}

impl Export {
    /// What to go through, oldest files first. Of everything, all that is captured for good in every file.
    fn stretches(&self, reader: &Reader) -> Result<Vec<Stretch>, Error> {
        let of_store = if self.selection.is_all() { reader.files()? } else { reader.stretches(&self.selection)? };
        let folder = self.archive.join("warc");
        let stretches: Vec<Stretch> =
            of_store.into_iter().map(|stretch| Stretch::of_archive(&folder, stretch)).collect();
        if stretches.iter().all(|stretch| stretch.length == 0) {
            return Err(nothing());
        }
        Ok(stretches)
    }

    /// Copies the groups of the selection.
    fn copy_to(
        &self,
        shelf: &mut dyn Shelf,
        reader: &Reader,
        packing: Packing,
        watch: Watch<'_>,
        list: &mut dyn FnMut(Line) -> Result<(), Error>,
    ) -> Result<Exported, Error> {
        let (groups, created) = (reader.stretches(&self.selection)?, reader.newest(&self.selection)?);
        let created = created.ok_or_else(nothing)?;
        let folder = self.archive.join("warc");
        let stretches: Vec<Stretch> = groups.into_iter().map(|group| Stretch::of_archive(&folder, group)).collect();
        let about = copy::About { created, selection: self.selection.clone() };
        let mut copier = Copier::new(shelf, &self.out, packing, about);
        copier.copy(&stretches, watch, list)?;
        let Copied { records, files } = copier.finish()?;
        Ok(Exported { records, files, pages: 0 })
    }
}

fn nothing() -> Error {
    Error::Request("nothing that is archived is meant by this: nothing was written".to_owned())
}

/// Writes the lines in blocks of gzip members; what comes back is the index of the blocks.
fn index<W: Write + std::io::Seek>(packer: &mut Packer<W>, lines: Sorted) -> std::io::Result<String> {
    const NAME: &str = "index.cdx.gz";
    packer.begin(&format!("indexes/{NAME}"), Manner::Stored(0))?;
    let mut blocks = format!("!meta 0 {}\n", json!({"format": "cdxj-gzip-1.0", "filename": NAME}));
    let (mut block, mut held, mut offset) = (String::new(), 0, 0);
    let mut close = |block: &mut String| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(block.as_bytes())?;
        let bytes = gzip.finish()?;
        let first = block.split(" {").next().unwrap_or_default();
        let digest = format!("sha256:{}", data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes)));
        let place = json!({"offset": offset, "length": bytes.len(), "digest": digest});
        blocks.push_str(&format!("{first} {place}\n"));
        offset += bytes.len() as u64;
        block.clear();
        packer.write_all(&bytes)
    };
    lines.each::<std::io::Error>(|line| {
        block.push_str(line);
        block.push('\n');
        held += 1;
        if held % BLOCK == 0 { close(&mut block) } else { Ok(()) }
    })?;
    if !block.is_empty() {
        close(&mut block)?;
    }
    Ok(blocks)
}

/// The list of pages: a line that says what follows, then one a page.
fn list_pages(out: &mut impl Write, pages: &[PageRow]) -> std::io::Result<()> {
    let head = json!({"format": "json-pages-1.0", "id": "pages", "title": "All Pages", "hasText": true});
    writeln!(out, "{head}")?;
    for page in pages {
        let at = page.at.iso();
        let id = format!("{:016x}", fingerprint(&format!("{at} {}", page.url)));
        let mut line = json!({"id": id, "url": page.url, "ts": at});
        for (name, value) in [("title", &page.title), ("text", &page.text)] {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                line[name] = value.into();
            }
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// What a package is called when nobody gives it a name.
fn title_of(pages: &[PageRow]) -> String {
    let day = |page: Option<&PageRow>| page.map_or(Timestamp(0), |page| page.at).iso()[..10].to_owned();
    match pages {
        [] => "An archive without pages".to_owned(),
        [page] => page.title.clone().unwrap_or_else(|| page.url.clone()),
        pages => format!("{} pages, {} to {}", pages.len(), day(pages.first()), day(pages.last())),
    }
}
