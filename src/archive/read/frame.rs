//! The heads of gzip members (RFC 1952) and of zstd frames (RFC 8878), and the dictionary of a `.warc.zst`.

use std::io::{self, Read};

use super::source::Source;

/// How a gzip member begins: its magic number and the one method there is.
pub(super) const GZIP: [u8; 3] = [0x1f, 0x8b, 8];
/// How a zstd frame begins.
pub(super) const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// How a zstd dictionary begins that is more than a bunch of bytes.
const DICTIONARY: [u8; 4] = [0x37, 0xa4, 0x30, 0xec];
/// The skippable frame that holds the dictionary (WARC-zstd 1.0, section 3).
const DICTIONARY_FRAME: u32 = 0x184D_2A5D;
/// Dictionaries and windows longer than this are against WARC-zstd 1.0.
pub const ZSTD_MOST: u64 = 8 << 20;

/// A zstd frame's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZstdFrame {
    /// How much it unpacks to, if it says so.
    pub content_size: Option<u64>,
    /// How much memory it takes to unpack it.
    pub window: u64,
    /// It ends in a checksum.
    pub checksum: bool,
    /// The dictionary it wants, if it says so.
    pub dictionary: Option<u32>,
}

/// How long a zstd frame's head may be.
pub(super) const ZSTD_HEAD: usize = 18;

/// Reads the head of a zstd frame (RFC 8878, 3.1.1.1); none when the bytes are none.
pub(super) fn zstd_frame(bytes: &[u8]) -> Option<ZstdFrame> {
    let rest = bytes.strip_prefix(&ZSTD)?;
    let (descriptor, mut rest) = rest.split_first()?;
    let single_segment = descriptor & 0x20 != 0;
    let mut number = |len: usize| -> Option<u64> {
        let (digits, after) = rest.split_at_checked(len)?;
        rest = after;
        Some(digits.iter().rev().fold(0, |number, digit| number << 8 | u64::from(*digit)))
    };
    let window = if single_segment { None } else { number(1) };
    let id = number([0, 1, 2, 4][usize::from(descriptor & 3)])?;
    let size_len = [usize::from(single_segment), 2, 4, 8][usize::from(descriptor >> 6)];
    let size = number(size_len)?;
    let content_size = (size_len > 0).then_some(if size_len == 2 { size + 256 } else { size });
    let window = match window {
        Some(byte) => {
            let base = 1u64 << (10 + (byte >> 3));
            base + base / 8 * (byte & 7)
        }
        None if single_segment => content_size?,
        None => return None,
    };
    let dictionary = u32::try_from(id).ok().filter(|id| *id > 0);
    Some(ZstdFrame { content_size, window, checksum: descriptor & 4 != 0, dictionary })
}

/// The length of a skippable zstd frame, its head included, and whether it is the one that holds a dictionary.
pub(super) fn skippable(bytes: &[u8]) -> Option<(u64, bool)> {
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    let (len, _) = rest.split_first_chunk::<4>()?;
    let magic = u32::from_le_bytes(*magic);
    (magic & !0xf == 0x184D_2A50).then(|| (8 + u64::from(u32::from_le_bytes(*len)), magic == DICTIONARY_FRAME))
}

/// The dictionary of a `.warc.zst`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DictionaryFrame {
    /// What zstd takes.
    pub bytes: Vec<u8>,
    /// Its number, which every frame must name; none when it is a bunch of bytes.
    pub id: Option<u32>,
}

/// The dictionary at the beginning of a file, if there is one; it may be compressed itself.
///
/// # Errors
/// What is wrong with it.
pub(super) fn dictionary(source: &Source) -> io::Result<Result<Option<DictionaryFrame>, String>> {
    let (head, read) = source.peek::<8>(0)?;
    let Some((len, true)) = skippable(&head[..read]) else { return Ok(Ok(None)) };
    if len > source.len() || len - 8 > ZSTD_MOST {
        return Ok(Err(format!("the dictionary frame of {} bytes is cut or too long", len - 8)));
    }
    let mut bytes = vec![0; usize::try_from(len - 8).unwrap_or(0)];
    source.read_at(8, &mut bytes)?;
    if bytes.starts_with(&ZSTD) {
        let mut plain = Vec::new();
        let unpacked = zstd::stream::read::Decoder::with_buffer(&bytes[..])
            .and_then(|decoder| decoder.take(ZSTD_MOST + 1).read_to_end(&mut plain));
        match unpacked {
            Ok(_) if plain.len() as u64 > ZSTD_MOST => return Ok(Err("the dictionary is too long".to_owned())),
            Ok(_) => bytes = plain,
            Err(cause) => return Ok(Err(format!("the dictionary cannot be unpacked: {cause}"))),
        }
    }
    let id = bytes.strip_prefix(&DICTIONARY).and_then(|rest| rest.first_chunk::<4>()).map(|id| u32::from_le_bytes(*id));
    Ok(Ok(Some(DictionaryFrame { bytes, id })))
}

/// The length of a gzip member's head (RFC 1952, 2.3); none while more bytes are needed.
///
/// # Errors
/// It is none.
pub(super) fn gzip_head(bytes: &[u8]) -> Result<Option<usize>, &'static str> {
    const FIXED: usize = 10;
    if !bytes.starts_with(&GZIP[..bytes.len().min(GZIP.len())]) {
        return Err("no gzip member begins here");
    }
    let Some(flags) = bytes.get(3) else { return Ok(None) };
    if flags & 0xe0 != 0 {
        return Err("a gzip member with reserved flags");
    }
    let mut at = FIXED;
    if flags & 4 != 0 {
        let Some(len) = bytes.get(at..at + 2) else { return Ok(None) };
        at += 2 + usize::from(len[0]) + (usize::from(len[1]) << 8);
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let rest = bytes.get(at..).unwrap_or(&[]);
            let Some(end) = rest.iter().position(|byte| *byte == 0) else { return Ok(None) };
            at += end + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    Ok((at <= bytes.len()).then_some(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_say_what_they_are() {
        let text = b"WARC/1.1 and so on".repeat(1000);
        let mut encoder = zstd::bulk::Compressor::new(3).unwrap();
        encoder.include_checksum(true).unwrap();
        let frame = zstd_frame(&encoder.compress(&text).unwrap()).unwrap();
        assert_eq!((frame.content_size, frame.checksum, frame.dictionary), (Some(18000), true, None));
        assert!(frame.window >= 18000 && frame.window <= ZSTD_MOST);

        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        io::Write::write_all(&mut encoder, &text).unwrap();
        let stream = encoder.finish().unwrap();
        let frame = zstd_frame(&stream).unwrap();
        assert_eq!((frame.content_size, frame.checksum), (None, false));
        assert_eq!(zstd_frame(&stream[..5]), None);
        assert_eq!(zstd_frame(b"WARC"), None);
    }

    #[test]
    fn a_dictionary_may_be_compressed() {
        let frame = |content: &[u8]| {
            [&[0x5d, 0x2a, 0x4d, 0x18][..], &u32::try_from(content.len()).unwrap().to_le_bytes(), content].concat()
        };
        let read = |bytes: Vec<u8>| dictionary(&Source::memory(bytes)).unwrap();
        let bytes = [&DICTIONARY[..], &7u32.to_le_bytes(), b"tables"].concat();
        assert_eq!(read(frame(&bytes)).unwrap().unwrap().id, Some(7));
        let packed = zstd::encode_all(&bytes[..], 3).unwrap();
        assert_eq!(read(frame(&packed)).unwrap().unwrap().bytes, bytes);
        assert_eq!(read(frame(b"words")).unwrap().unwrap().id, None);
        assert_eq!(read(b"WARC/1.1".to_vec()), Ok(None));
        assert!(read(frame(&packed[..packed.len() - 3])).is_err());
        assert!(read(frame(b"words")[..10].to_vec()).is_err());
    }

    #[test]
    fn gzip_heads_are_measured() {
        let head = |flags: u8, rest: &[u8]| [&GZIP[..], &[flags, 0, 0, 0, 0, 0, 3], rest].concat();
        assert_eq!(gzip_head(&head(0, b"")), Ok(Some(10)));
        assert_eq!(gzip_head(&head(4 | 8 | 16 | 2, b"\x03\x00abcname\0words\0cc")), Ok(Some(10 + 5 + 5 + 6 + 2)));
        assert_eq!(gzip_head(&head(8, b"name")), Ok(None));
        assert_eq!(gzip_head(&GZIP), Ok(None));
        assert!(gzip_head(&head(0x20, b"")).is_err());
        assert!(gzip_head(b"WARC").is_err());
    }
}
