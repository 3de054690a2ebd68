//! Digests of content and fingerprints of URLs.

use std::fmt;

use data_encoding::BASE32;
use sha1::Digest as _;

/// Which digest stands in `WARC-Payload-Digest` and `WARC-Block-Digest`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// The field's custom: what every other archive and index uses.
    #[default]
    Sha1,
    /// For those who must not rely on SHA-1.
    Sha256,
}

/// A labelled digest as WARC/1.1, 5.8 writes it: `sha1:` and the value in base 32.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(String);

impl Digest {
    /// Takes the text of a record field or a row as it is.
    pub fn from_text(text: impl Into<String>) -> Digest {
        Digest(text.into())
    }

    /// The labelled text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A digest being computed.
pub enum Digester {
    /// SHA-1 so far.
    Sha1(sha1::Sha1),
    /// SHA-256 so far.
    Sha256(sha2::Sha256),
}

impl Digester {
    /// Begins with nothing.
    pub fn new(algorithm: Algorithm) -> Digester {
        match algorithm {
            Algorithm::Sha1 => Digester::Sha1(sha1::Sha1::new()),
            Algorithm::Sha256 => Digester::Sha256(sha2::Sha256::new()),
        }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Digester::Sha1(hash) => hash.update(bytes),
            Digester::Sha256(hash) => hash.update(bytes),
        }
    }

    /// The digest of all bytes added.
    pub fn finish(self) -> Digest {
        match self {
            Digester::Sha1(hash) => Digest(format!("sha1:{}", BASE32.encode(&hash.finalize()))),
            // With its padding: warcio compares the whole text.
            Digester::Sha256(hash) => Digest(format!("sha256:{}", BASE32.encode(&hash.finalize()))),
        }
    }
}

/// The digest of some bytes.
pub fn digest(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut digester = Digester::new(algorithm);
    digester.update(bytes);
    digester.finish()
}

/// 64 bits that stand for a text in the seen-set. Texts are compared on a hit, so it need not be free of collisions.
pub fn fingerprint(text: &str) -> i64 {
    let hash = blake3::hash(text.as_bytes());
    let (first, _) = hash.as_bytes().split_first_chunk().expect("a BLAKE3 hash has 32 bytes");
    i64::from_le_bytes(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_labelled_base_32() {
        assert_eq!(digest(Algorithm::Sha1, b"").as_str(), "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ");
        let long = digest(Algorithm::Sha256, b"");
        assert_eq!(long.as_str(), "sha256:4OYMIQUY7QOBJGX36TEJS35ZEQT24QPEMSNZGTFESWMRW6CSXBKQ====");
    }
}
