//! What can be wrong with a WARC file short of what its records say.

use std::fmt;

/// Something wrong, and how much of the file it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where: the record, gzip member or frame that has it, or the first byte that belongs to none.
    pub offset: u64,
    /// Where in what the member unpacks to.
    pub inner: u64,
    /// How many bytes of the file (within a member: of what it unpacks to) were passed over because of it.
    pub skipped: u64,
    /// What it is.
    pub wrong: Wrong,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Bytes that belong to no record.
    Garbage,
    /// A record's head has no end within reason.
    Head,
    /// No readable `Content-Length`.
    NoLength,
    /// `Content-Length` is not how long the block is; none when that cannot be known.
    Length {
        /// What it says.
        declared: u64,
        /// How long the block is.
        found: Option<u64>,
    },
    /// The record is not followed by two line ends. Nothing is lost.
    Ending,
    /// More line ends than two follow the record. Nothing is lost.
    Blank,
    /// The file ends within the record: it was being written, or was cut.
    Torn,
    /// A gzip member or zstd frame that cannot be unpacked.
    Corrupt(String),
    /// A gzip member that unpacks to something else than was packed.
    Checksum(&'static str),
    /// The dictionary at the beginning of the file cannot be used.
    Dictionary(String),
    /// So much is wrong that the rest of the file was not read.
    GivenUp,
}

impl Wrong {
    /// Something is missing, altered or cannot be read; otherwise a rule is broken and nothing is lost.
    pub fn is_damage(&self) -> bool {
        !matches!(self, Wrong::Ending | Wrong::Blank)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Garbage => f.write_str("bytes that belong to no record"),
            Wrong::Head => f.write_str("the record's head has no end"),
            Wrong::NoLength => f.write_str("no readable Content-Length"),
            Wrong::Length { declared, found: Some(found) } => {
                write!(f, "Content-Length says {declared}, the block has {found} bytes")
            }
            Wrong::Length { declared, found: None } => {
                write!(f, "the record does not end where its Content-Length of {declared} says")
            }
            Wrong::Ending => f.write_str("the record is not followed by two line ends"),
            Wrong::Blank => f.write_str("more than two line ends follow the record"),
            Wrong::Torn => f.write_str("the file ends within the record"),
            Wrong::Corrupt(what) => f.write_str(what),
            Wrong::Checksum(what) => f.write_str(what),
            Wrong::Dictionary(what) => f.write_str(what),
            Wrong::GivenUp => f.write_str("so much is wrong that the rest was not read"),
        }
    }
}
