//! The dictionary of a `.warc.zst` (IIPC, WARC-zstd 1.0): what the records of one crawl have in common, kept once.
//!
//! A file that has one begins with it, in a skippable frame, so that every file can be read alone:
//!
//! ```text
//! 5d 2a 4d 18  LL LL LL LL  37 a4 30 ec  ID ID ID ID  …
//! magic        length       dictionary:  its number   tables, common text
//! ```
//!
//! All numbers are little-endian; the length is that of what follows it. The dictionary stands there as it is, not
//! compressed once more: a stranger cuts it out with `tail` and `head` and hands it to `zstd -D`.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use zstd::dict::EncoderDictionary;
use zstd::stream::read::Decoder;
use zstd::stream::write::Encoder;
use zstd::zstd_safe::get_dict_id;

/// For text: +27 % on gzip with a dictionary, at two thirds of its speed.
const THOROUGH: i32 = 9;
/// For what is compressed already: it only has to pass through.
const FAST: i32 = 1;
/// The magic number of the skippable frame that holds a dictionary.
const FRAME: [u8; 4] = 0x184D_2A5D_u32.to_le_bytes();
/// WARC-zstd 1.0 allows no longer dictionary, and no wider window.
const LONGEST: u64 = 8 << 20;
/// 112,640 bytes, as `zstd --train` makes them: longer ones gained less than 1 % on pages (benches/writing.rs).
const TRAINED: usize = 110 << 10;
/// What a dictionary is trained from: so much is ten times its own length, and a crawl that never keeps so much text
/// would gain less by a dictionary than the dictionary takes.
const ENOUGH: usize = 1 << 20;
/// No record gives more than this: what records share stands in their heads and in the heads of pages.
const SAMPLE: u64 = 64 << 10;

/// A dictionary with a number of its own, ready for use.
pub struct Dictionary {
    id: NonZeroU32,
    bytes: Vec<u8>,
    thorough: EncoderDictionary<'static>,
    fast: EncoderDictionary<'static>,
}

/// Why a file is no dictionary.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {} as a zstd dictionary: {reason}", path.display())]
pub struct DictionaryError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl Dictionary {
    /// A dictionary of the user's own: a trained one (`zstd --train`), or text to train one from.
    ///
    /// # Errors
    /// When the file cannot be read, is longer than 8 MiB, or gives no dictionary.
    pub fn open(path: &Path) -> Result<Dictionary, DictionaryError> {
        let wrong = |reason: String| DictionaryError { path: path.to_owned(), reason };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|cause| wrong(cause.to_string()))?;
        file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|cause| wrong(cause.to_string()))?;
        if bytes.len() as u64 > LONGEST {
            return Err(wrong("it is longer than the 8 MiB that WARC-zstd allows".to_owned()));
        }
        if get_dict_id(&bytes).is_some() {
            return Dictionary::new(bytes).ok_or_else(|| wrong("its tables are damaged".to_owned()));
        }
        let mut samples = Samples::default();
        bytes.chunks(4 << 10).for_each(|piece| samples.take(piece));
        samples.train().ok_or_else(|| {
            wrong("it is no trained dictionary, and too short or too uniform to train one from".to_owned())
        })
    }

    /// None when the bytes are no trained dictionary: only those have a number, which every frame must name.
    fn new(bytes: Vec<u8>) -> Option<Dictionary> {
        let id = get_dict_id(&bytes)?;
        let thorough = EncoderDictionary::try_copy(&bytes, THOROUGH).ok()?;
        let fast = EncoderDictionary::try_copy(&bytes, FAST).ok()?;
        Some(Dictionary { id, bytes, thorough, fast })
    }

    /// The dictionary that a `.warc.zst` begins with, if it does and it can be used.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_file(path: &Path) -> io::Result<Option<Dictionary>> {
        let mut file = File::open(path)?;
        let mut head = [0; 8];
        match file.read_exact(&mut head) {
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let [magic @ .., a, b, c, d] = head;
        let length = u64::from(u32::from_le_bytes([a, b, c, d]));
        if magic != FRAME || length > LONGEST {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes)?;
        Ok(if bytes.len() as u64 == length { Dictionary::new(bytes) } else { None })
    }

    /// The number that every frame names.
    pub fn id(&self) -> u32 {
        self.id.get()
    }

    /// Its bytes, as `zstd -D` takes them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The frame that a file begins with.
    pub(super) fn frame(&self) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).expect("no dictionary is longer than 8 MiB");
        [&FRAME[..], &length.to_le_bytes(), &self.bytes].concat()
    }
}

impl PartialEq for Dictionary {
    fn eq(&self, other: &Dictionary) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Dictionary {}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dictionary {} of {} bytes", self.id, self.bytes.len())
    }
}

/// The dictionary that records are packed with from now on. Copies share it: the writer sets it when a file begins
/// with another, those who encode look it up for each group.
#[derive(Clone, Debug, Default)]
pub struct Codebook(Arc<RwLock<Option<Arc<Dictionary>>>>);

impl Codebook {
    /// What it is now.
    pub fn current(&self) -> Option<Arc<Dictionary>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, dictionary: Option<Arc<Dictionary>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = dictionary;
    }
}

/// Begins a frame for one record: with the length of its content, a checksum, and the dictionary's number.
///
/// # Errors
/// When zstd cannot be set up so.
pub fn frame<W: Write>(
    out: W,
    length: u64,
    packed_already: bool,
    dictionary: Option<&Dictionary>,
) -> io::Result<Encoder<'_, W>> {
    let mut encoder = match (dictionary, packed_already) {
        (Some(dictionary), true) => Encoder::with_prepared_dictionary(out, &dictionary.fast),
        (Some(dictionary), false) => Encoder::with_prepared_dictionary(out, &dictionary.thorough),
        (None, true) => Encoder::new(out, FAST),
        (None, false) => Encoder::new(out, THOROUGH),
    }?;
    encoder.set_pledged_src_size(Some(length))?;
    encoder.include_contentsize(true)?;
    encoder.include_checksum(true)?;
    encoder.include_dictid(true)?;
    Ok(encoder)
}

/// What one frame holds.
pub(super) fn unpacked<'a, R: BufRead>(
    frame: R,
    dictionary: Option<&'a Dictionary>,
) -> io::Result<impl Read + use<'a, R>> {
    let dictionary = dictionary.map_or(&[][..], |dictionary| &dictionary.bytes);
    Ok(Decoder::with_dictionary(frame, dictionary)?.single_frame())
}

/// Records of which a dictionary can be made.
#[derive(Default)]
pub(super) struct Samples {
    bytes: Vec<u8>,
    lengths: Vec<usize>,
}

impl Samples {
    /// The records of a file that begins with no dictionary, as many as are needed. What cannot be read is left out.
    pub(super) fn of_file(path: &Path) -> io::Result<Samples> {
        let mut samples = Samples::default();
        let mut file = BufReader::new(File::open(path)?);
        while !samples.suffice() && !file.fill_buf()?.is_empty() {
            let start = file.stream_position()?;
            let mut plain = Vec::new();
            let mut frame = unpacked(&mut file, None)?;
            let read = frame.by_ref().take(SAMPLE).read_to_end(&mut plain);
            let Ok(rest) = read.and_then(|_| io::copy(&mut frame, &mut io::sink())) else { break };
            drop(frame);
            let packed = file.stream_position()? - start;
            samples.add(&plain, plain.len() as u64 + rest, packed);
        }
        Ok(samples)
    }

    /// Takes a frame's beginning, unless it was hardly made shorter: a picture teaches nothing.
    pub(super) fn add_frame(&mut self, frame: impl BufRead, plain: u64, packed: u64) -> io::Result<()> {
        let mut begin = Vec::new();
        if is_text(plain, packed) {
            unpacked(frame, None)?.take(SAMPLE).read_to_end(&mut begin)?;
            self.take(&begin);
        }
        Ok(())
    }

    fn add(&mut self, begin: &[u8], plain: u64, packed: u64) {
        if is_text(plain, packed) {
            self.take(begin);
        }
    }

    fn take(&mut self, sample: &[u8]) {
        self.bytes.extend_from_slice(sample);
        self.lengths.push(sample.len());
    }

    pub(super) fn suffice(&self) -> bool {
        self.bytes.len() >= ENOUGH
    }

    /// None when they have too little in common.
    pub(super) fn train(&self) -> Option<Dictionary> {
        let longest = TRAINED.min(self.bytes.len() / 8).max(1 << 10);
        Dictionary::new(zstd::dict::from_continuous(&self.bytes, &self.lengths, longest).ok()?)
    }
}

fn is_text(plain: u64, packed: u64) -> bool {
    packed < plain / 4 * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(kilobytes: usize) -> Vec<u8> {
        let line =
            |i: usize| format!("<li class=\"story\"><a href=\"/news/{i}/{}.html\">Harbour</a></li>\n", i * 7919 % 997);
        (0..kilobytes * 17).flat_map(|i| line(i).into_bytes()).collect()
    }

    fn open(bytes: &[u8]) -> Result<Dictionary, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dictionary");
        std::fs::write(&path, bytes).unwrap();
        Dictionary::open(&path).map_err(|error| error.reason)
    }

    #[test]
    fn a_dictionary_is_taken_or_made() {
        let trained = open(&text(300)).unwrap();
        assert!(trained.bytes().len() <= TRAINED && trained.id() >= 1 << 15, "{trained:?}");
        assert_eq!(open(trained.bytes()).unwrap(), trained, "a trained one is taken as it is");
    }

    #[test]
    fn what_gives_no_dictionary_says_why() {
        for (bytes, why) in [
            (Vec::new(), "too short"),
            (b"a word".to_vec(), "too short"),
            (vec![b'a'; (8 << 20) + 1], "8 MiB"),
            ([&[0x37, 0xa4, 0x30, 0xec, 9, 0, 0, 0][..], &[0xff; 300]].concat(), "damaged"),
        ] {
            let said = open(&bytes).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        let nowhere = Dictionary::open(Path::new("nowhere/at-all")).unwrap_err().to_string();
        assert!(nowhere.starts_with("cannot use nowhere/at-all"), "{nowhere}");
    }

    #[test]
    fn a_frame_says_what_the_standard_wants() {
        let dictionary = open(&text(300)).unwrap();
        let record = text(20);
        for packed_already in [false, true] {
            let mut encoder = frame(Vec::new(), record.len() as u64, packed_already, Some(&dictionary)).unwrap();
            encoder.write_all(&record).unwrap();
            let bytes = encoder.finish().unwrap();
            assert_eq!(zstd::decompressed_size(&bytes), Some(record.len() as u64));
            assert_eq!(zstd::zstd_safe::get_dict_id_from_frame(&bytes).map(NonZeroU32::get), Some(dictionary.id()));
            assert_eq!(bytes[4] & 0b100, 0b100, "Content_Checksum_flag");
            let mut plain = Vec::new();
            unpacked(&bytes[..], Some(&dictionary)).unwrap().read_to_end(&mut plain).unwrap();
            assert!(plain == record);
        }
    }

    #[test]
    fn half_a_dictionary_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.warc.zst");
        let whole = open(&text(300)).unwrap();
        let bytes = whole.frame();
        for (bytes, wanted) in [(&bytes[..], Some(&whole)), (&bytes[..bytes.len() - 1], None), (&bytes[..5], None)] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(Dictionary::of_file(&path).unwrap().as_ref(), wanted);
        }
    }
}
