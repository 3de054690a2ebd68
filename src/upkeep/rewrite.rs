//! A WARC file written anew beside the old one: records go over byte for byte, packed as they were where they can be
//! read alone, else one gzip member (or zstd frame) a record.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Error;
use super::files::finish;
use crate::archive::{Group, Groups, ReadError, Record, zstd_frame};
use crate::store::{SaidOf, Stands};

/// How records are packed that do not go over as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Gzip,
    Zstd,
}

impl Form {
    /// By the name, which the content must keep to.
    pub(super) fn of(name: &str) -> Form {
        match name {
            _ if name.ends_with(".gz") => Form::Gzip,
            _ if name.ends_with(".zst") => Form::Zstd,
            _ => Form::Plain,
        }
    }
}

/// The new file.
pub(super) struct Rewriting {
    source: File,
    out: BufWriter<File>,
    form: Form,
    /// Records that can be read alone go over as they are.
    as_they_are: bool,
}

impl Rewriting {
    /// Begins the file `to` with records of `source`. With `as_they_are` they keep their packing, and the file its
    /// dictionary: the bytes before its first record.
    pub(super) fn begin(source: &Path, to: &Path, form: Form, as_they_are: bool) -> Result<Rewriting, Error> {
        let mut from = File::open(source).map_err(Error::io("read", source))?;
        let mut out = BufWriter::with_capacity(1 << 20, File::create(to).map_err(Error::io("make", to))?);
        if as_they_are && form == Form::Zstd {
            copy_dictionary(&mut from, &mut out).map_err(Error::io("write", to))?;
        }
        Ok(Rewriting { source: from, out, form, as_they_are })
    }

    /// Takes a group over.
    pub(super) fn keep(&mut self, group: &Group) -> io::Result<()> {
        self.keep_records(group, &|_| true)
    }

    /// Takes those records of a group over that `choose` says.
    pub(super) fn keep_records(&mut self, group: &Group, choose: &dyn Fn(&Record) -> bool) -> io::Result<()> {
        for (record, head) in group.records.iter().zip(&group.heads).filter(|(record, _)| choose(record)) {
            if self.as_they_are && group.alone {
                self.source.seek(SeekFrom::Start(record.offset))?;
                let copied = io::copy(&mut Read::by_ref(&mut self.source).take(record.length), &mut self.out)?;
                if copied != record.length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            } else {
                self.pack(&[head, &record.block, b"\r\n\r\n"])?;
            }
        }
        Ok(())
    }

    /// Writes a record of our own.
    pub(super) fn write(&mut self, record: &[u8]) -> io::Result<()> {
        self.pack(&[record])
    }

    fn pack(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        match self.form {
            Form::Plain => parts.iter().try_for_each(|part| self.out.write_all(part)),
            Form::Gzip => {
                let mut encoder = GzEncoder::new(&mut self.out, Compression::new(6));
                parts.iter().try_for_each(|part| encoder.write_all(part))?;
                encoder.finish().map(|_| ())
            }
            Form::Zstd => {
                let length = parts.iter().map(|part| part.len() as u64).sum();
                let mut encoder = zstd_frame(&mut self.out, length, false, None)?;
                parts.iter().try_for_each(|part| encoder.write_all(part))?;
                encoder.finish().map(|_| ())
            }
        }
    }

    /// The file is whole and on the disk.
    pub(super) fn finish(self, to: &Path) -> Result<(), Error> {
        finish(self.out, to)
    }
}

/// The skippable frame with the dictionary (WARC-zstd 1.0), where there is one.
fn copy_dictionary(from: &mut File, out: &mut impl Write) -> io::Result<()> {
    const MAGIC: [u8; 4] = 0x184D_2A5D_u32.to_le_bytes();
    let mut head = [0; 8];
    let read = from.read(&mut head)?;
    from.rewind()?;
    if read == head.len() && head[..4] == MAGIC {
        let [.., a, b, c, d] = head;
        let len = 8 + u64::from(u32::from_le_bytes([a, b, c, d]));
        io::copy(&mut Read::by_ref(from).take(len), out)?;
    }
    Ok(())
}

/// Where the captures of a file stand, and what of it cannot be read.
pub(super) fn survey(path: &Path) -> Result<(Vec<Stands>, Vec<ReadError>), Error> {
    let (mut all, mut unread) = (Vec::new(), Vec::new());
    for group in Groups::open(path, 0).map_err(Error::io("read", path))? {
        match group {
            Ok(group) => all.extend(stands(&group)),
            Err(damage) => unread.push(damage),
        }
    }
    Ok((all, unread))
}

/// Where a capture's records stand; none when the group is no capture.
pub(super) fn stands(group: &Group) -> Option<Stands> {
    let capture = group.found()?.capture;
    let (url, at, payload) = (capture.url, capture.at, capture.payload.as_str().to_owned());
    Some(Stands {
        said: (capture.metadata.length > 0).then_some(SaidOf { url, at, payload }),
        record_id: capture.record_id,
        first: capture.place,
        request: capture.request,
        metadata: capture.metadata,
    })
}
