//! Appends groups of records to WARC files: one writer, whole groups, nothing called a capture before it is synced.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use warc::{RecordType, WarcHeader};

use super::dictionary::{Codebook, Dictionary, Samples};
use super::encode::Encoded;
use super::record::{Head, Packed, Packing, pack};
use super::{Capture, Error, Place};
use crate::web::time::Timestamp;

/// How records are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compress {
    /// One gzip member a record: any tool reads it, and any record can be read alone.
    #[default]
    Gzip,
    /// One zstd frame a record, with a dictionary as soon as there is one: a quarter smaller, and fewer tools read it.
    Zstd,
    /// As they are.
    None,
}

impl Compress {
    /// How the names of its files end.
    pub fn extension(self) -> &'static str {
        match self {
            Compress::Gzip => ".warc.gz",
            Compress::Zstd => ".warc.zst",
            Compress::None => ".warc",
        }
    }
}

/// What the writer obeys, and what its files say of it.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    /// The folder of the files.
    pub folder: PathBuf,
    /// Stands in file names.
    pub profile: String,
    /// A file that has reached this size is followed by another.
    pub max_size: u64,
    /// So is one that is older.
    pub max_age: Duration,
    /// How records are compressed.
    pub compress: Compress,
    /// The dictionary of zstd; without one, the profile's own is used, and trained as soon as there is enough of it.
    pub dictionary: Option<Arc<Dictionary>>,
    /// The fields of `warcinfo`, in order (WARC/1.1, 6.2).
    pub info: Vec<(String, String)>,
}

/// Appended, and not yet durable.
#[derive(Debug)]
pub struct Written(Capture);

/// The one that writes.
pub struct Writer {
    options: WriterOptions,
    open: Option<Open>,
    /// Full or old files, synced, whose captures may not be in the database yet: they keep their `.open` until then,
    /// so that a crash finds them.
    full: Vec<PathBuf>,
    serial: u32,
    /// The dictionary of the file that is being written, or of the one that will be begun.
    codebook: Codebook,
}

struct Open {
    name: String,
    path: PathBuf,
    file: File,
    len: u64,
    started: Timestamp,
    synced: bool,
    dictionary: Option<Arc<Dictionary>>,
    /// Of a `.warc.zst` that has no dictionary: what one can be trained from.
    samples: Option<Samples>,
}

/// The ending of a file that is being written.
pub const OPEN: &str = ".open";

impl Writer {
    /// A writer that has no file yet; it makes one with the first group.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(options: WriterOptions) -> Result<Writer, Error> {
        std::fs::create_dir_all(&options.folder).map_err(Error::new("make", &options.folder))?;
        let codebook = Codebook::default();
        codebook.set(options.dictionary.clone());
        Ok(Writer { options, open: None, full: Vec::new(), serial: 0, codebook })
    }

    /// The dictionary that records should be packed with; others are packed anew when they are appended.
    pub fn codebook(&self) -> Codebook {
        self.codebook.clone()
    }

    /// Takes this profile's last file up again, if it is still small and young and packed the same way, and exactly as
    /// long as `committed` says: then it holds whole groups only (see [`super::recover`]).
    ///
    /// # Errors
    /// When the folder or the file cannot be opened.
    pub fn resume(&mut self, now: Timestamp, committed: &dyn Fn(&str) -> u64) -> Result<(), Error> {
        let folder = self.options.folder.clone();
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(Error::new("list", &folder))? {
            let entry = entry.map_err(Error::new("list", &folder))?;
            names.extend(entry.file_name().into_string());
        }
        let prefix = format!("{}-", self.options.profile);
        let last = names
            .iter()
            .map(|name| name.strip_suffix(OPEN).unwrap_or(name))
            .filter(|name| name.starts_with(&prefix) && name.ends_with(self.options.compress.extension()))
            .filter_map(|name| Some((FileName::read(name)?, name)))
            .filter(|(parts, _)| parts.profile == self.options.profile)
            .max_by_key(|(parts, _)| (parts.started, parts.serial));
        let Some((parts, name)) = last else { return Ok(()) };
        let (closed, open) = (folder.join(name), folder.join(format!("{name}{OPEN}")));
        let path = if open.exists() { &open } else { &closed };
        let len = std::fs::metadata(path).map_err(Error::new("look at", path))?.len();
        let (dictionary, samples) = self.learnt(path)?;
        if self.codebook.current() != dictionary {
            return Ok(());
        }
        // A file that is not as it was left is left as it is.
        if len != committed(name) || len >= self.options.max_size || now.since(parts.started) >= self.options.max_age {
            return Ok(());
        }
        if path == &closed {
            std::fs::rename(&closed, &open).map_err(Error::new("reopen", &closed))?;
        }
        let file = OpenOptions::new().read(true).write(true).open(&open).map_err(Error::new("reopen", &open))?;
        self.serial = parts.serial;
        let (name, started) = (name.to_owned(), parts.started);
        self.open = Some(Open { name, path: open, file, len, started, synced: true, dictionary, samples });
        Ok(())
    }

    /// The dictionary of the profile's last file, and what one can be trained from while it has none. Sets the
    /// codebook, unless the dictionary is given.
    fn learnt(&self, last: &Path) -> Result<(Option<Arc<Dictionary>>, Option<Samples>), Error> {
        if self.options.compress != Compress::Zstd {
            return Ok((None, None));
        }
        let dictionary = Dictionary::of_file(last).map_err(Error::new("read", last))?.map(Arc::new);
        if self.options.dictionary.is_some() {
            return Ok((dictionary, None));
        }
        let samples = match dictionary {
            Some(_) => None,
            None => Some(Samples::of_file(last).map_err(Error::new("read", last))?),
        };
        let trained = samples.as_ref().filter(|samples| samples.suffice()).and_then(Samples::train).map(Arc::new);
        self.codebook.set(dictionary.clone().or(trained));
        Ok((dictionary, samples))
    }

    /// Appends a group. The bytes are not durable until [`Writer::sync`].
    ///
    /// # Errors
    /// When the file cannot be written; what was appended of this group is cut off again.
    pub fn append(&mut self, mut group: Encoded, now: Timestamp) -> Result<Written, Error> {
        self.rotate(now)?;
        let open = match self.open.take() {
            Some(open) => open,
            None => self.start(now)?,
        };
        let open = self.open.insert(open);
        let start = open.len;
        let (first, request, metadata) = open.append_group(&mut group).inspect_err(|_| open.cut(start))?;
        Ok(Written(Capture {
            url: group.url,
            at: group.at,
            record_id: group.record_id,
            kind: group.kind,
            status: group.status,
            media: group.media,
            validators: group.validators,
            payload: group.payload,
            payload_len: group.payload_len,
            refers_to: group.refers_to,
            truncated: group.truncated,
            address: group.address,
            place: first,
            request,
            metadata,
        }))
    }

    /// Makes what was appended durable; only now it is captured.
    ///
    /// # Errors
    /// When the disk refuses; then nothing of it may be called a capture.
    pub fn sync(&mut self, written: Vec<Written>) -> Result<Vec<Capture>, Error> {
        if let Some(open) = &mut self.open {
            open.sync()?;
        }
        Ok(written.into_iter().map(|written| written.0).collect())
    }

    /// Whether a record that should be there is.
    pub fn holds(&self, place: &Place) -> bool {
        super::holds(&self.options.folder, place)
    }

    /// The file that is being written and how long it is, for the database.
    pub fn current(&self) -> Option<(&str, u64)> {
        self.open.as_ref().map(|open| (open.name.as_str(), open.len))
    }

    /// Everything synced so far has its rows: drops the `.open` of files that are full.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn committed(&mut self) -> Result<(), Error> {
        for path in std::mem::take(&mut self.full) {
            seal(&self.options.folder, &path)?;
        }
        Ok(())
    }

    /// A clean end, once everything has its rows: syncs, and drops the `.open`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn close(&mut self) -> Result<(), Error> {
        self.committed()?;
        let Some(mut open) = self.open.take() else { return Ok(()) };
        open.sync()?;
        seal(&self.options.folder, &open.path)
    }

    /// Puts a file aside that is full or old.
    fn rotate(&mut self, now: Timestamp) -> Result<(), Error> {
        let options = &self.options;
        let learnt = self.open.as_mut().and_then(Open::learn);
        if let Some(dictionary) = &learnt {
            self.codebook.set(Some(dictionary.clone()));
        }
        let is_over = |open: &mut Open| {
            learnt.is_some() || open.len >= options.max_size || now.since(open.started) >= options.max_age
        };
        if let Some(mut open) = self.open.take_if(is_over) {
            open.sync()?;
            self.full.push(open.path);
        }
        Ok(())
    }

    fn start(&mut self, now: Timestamp) -> Result<Open, Error> {
        self.serial += 1;
        let random = &uuid::Uuid::new_v4().simple().to_string()[..8];
        let name = FileName { profile: self.options.profile.clone(), started: now, serial: self.serial };
        let name = format!("{}{}", name.write(random), self.options.compress.extension());
        let path = self.options.folder.join(format!("{name}{OPEN}"));
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(&path);
        let file = file.map_err(Error::new("make", &path))?;
        let dictionary = if self.options.compress == Compress::Zstd { self.codebook.current() } else { None };
        let learns = self.options.compress == Compress::Zstd && dictionary.is_none();
        let samples = learns.then(Samples::default);
        let mut open = Open { name, path, file, len: 0, started: now, synced: false, dictionary, samples };
        open.begin()?;
        let mut info = self.info(&open.name, now)?;
        open.append(&mut info)?;
        sync_folder(&self.options.folder)?;
        Ok(open)
    }

    fn info(&self, name: &str, now: Timestamp) -> Result<Packed, Error> {
        let fields = &self.options.info;
        let block: String = fields.iter().map(|(key, value)| format!("{key}: {value}\r\n")).collect();
        let head = Head::new(RecordType::WarcInfo, now, "application/warc-fields").with(WarcHeader::Filename, name);
        // The file it stands in knows the dictionary.
        let packing = Packing { compress: self.options.compress, packed_already: false, dictionary: None };
        let folder = &self.options.folder;
        pack(head, block.len() as u64, packing, folder, &mut |out| out.write_all(block.as_bytes()))
            .map_err(Error::new("spool a record in", folder))
    }
}

impl Open {
    fn append_group(&mut self, group: &mut Encoded) -> Result<(Place, Option<Place>, Place), Error> {
        let first = self.append(&mut group.first)?;
        let request = group.request.as_mut().map(|request| self.append(request)).transpose()?;
        for resource in &mut group.resources {
            self.append(resource)?;
        }
        Ok((first, request, self.append(&mut group.metadata)?))
    }

    /// Takes back what was appended from there on. Should that fail too, recovery does it.
    fn cut(&mut self, len: u64) {
        let _ = self.file.set_len(len);
        self.len = len;
    }

    /// Writes the dictionary, which stands before everything else.
    fn begin(&mut self) -> Result<(), Error> {
        if let Some(dictionary) = &self.dictionary {
            let frame = dictionary.frame();
            self.file.write_all(&frame).map_err(Error::new("append to", &self.path))?;
            self.len = frame.len() as u64;
        }
        Ok(())
    }

    /// A dictionary, once there is enough to train it from. Samples that have too little in common are given up.
    fn learn(&mut self) -> Option<Arc<Dictionary>> {
        self.samples.take_if(|samples| samples.suffice())?.train().map(Arc::new)
    }

    fn append(&mut self, record: &mut Packed) -> Result<Place, Error> {
        let offset = self.len;
        self.synced = false;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        record.suit(self.dictionary.as_ref(), folder).map_err(Error::new("spool a record in", folder))?;
        if let Some(samples) = &mut self.samples {
            record.teach(samples).map_err(Error::new("spool a record in", folder))?;
        }
        let write = |file: &mut File, record: &mut Packed| {
            file.seek(SeekFrom::Start(offset))?;
            record.write_to(file)
        };
        write(&mut self.file, record).map_err(Error::new("append to", &self.path))?;
        self.len += record.length;
        Ok(Place { file: self.name.clone(), offset, length: record.length })
    }

    fn sync(&mut self) -> Result<(), Error> {
        if !self.synced {
            self.file.sync_data().map_err(Error::new("sync", &self.path))?;
            self.synced = true;
        }
        Ok(())
    }
}

/// Drops the `.open` of a file that holds whole groups.
pub(super) fn seal(folder: &Path, open: &Path) -> Result<(), Error> {
    let closed = open.with_extension("");
    std::fs::rename(open, closed).map_err(Error::new("close", open))?;
    sync_folder(folder)
}

/// A new name in a folder is durable only when the folder is.
pub(super) fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::new("sync", folder))
}

/// `PROFILE-20261122T134625Z-7f3a9c1e-00001`: profile, start, chance, serial.
pub(super) struct FileName {
    profile: String,
    pub(super) started: Timestamp,
    pub(super) serial: u32,
}

impl FileName {
    fn write(&self, random: &str) -> String {
        let started = self.started.utc().format("%Y%m%dT%H%M%SZ");
        format!("{}-{started}-{random}-{:05}", self.profile, self.serial)
    }

    /// What the name of the file at this path says.
    pub(super) fn of(path: &Path) -> Option<FileName> {
        FileName::read(path.file_name()?.to_str()?)
    }

    fn read(name: &str) -> Option<FileName> {
        let stem = name.split(".warc").next()?;
        let mut parts = stem.rsplitn(4, '-');
        let serial = parts.next()?.parse().ok()?;
        let _random = parts.next()?;
        let started = chrono::NaiveDateTime::parse_from_str(parts.next()?, "%Y%m%dT%H%M%SZ").ok()?;
        let started = Timestamp(started.and_utc().timestamp_millis());
        Some(FileName { profile: parts.next()?.to_owned(), started, serial })
    }
}
