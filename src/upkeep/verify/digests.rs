//! Digests as records name them: `label:value`, in base 32 with or without padding, or in hexadecimal.

use data_encoding::{BASE32_NOPAD, HEXLOWER_PERMISSIVE};
use sha1::Digest as _;

/// A digest that is being computed to be compared.
#[derive(Clone)]
pub(super) struct Check {
    wanted: Vec<u8>,
    hash: Hash,
}

#[derive(Clone)]
enum Hash {
    Md5(Box<md5::Md5>),
    Sha1(Box<sha1::Sha1>),
    Sha256(Box<sha2::Sha256>),
    Sha512(Box<sha2::Sha512>),
}

impl Check {
    /// Begins a comparison with a field's value; none when nobody knows how that was computed.
    pub fn new(value: &str) -> Option<Check> {
        let (label, value) = value.split_once(':')?;
        let (hash, len) = match label.trim().to_ascii_lowercase().as_str() {
            "md5" => (Hash::Md5(Box::default()), 16),
            "sha1" | "sha-1" => (Hash::Sha1(Box::default()), 20),
            "sha256" | "sha-256" => (Hash::Sha256(Box::default()), 32),
            "sha512" | "sha-512" => (Hash::Sha512(Box::default()), 64),
            _ => return None,
        };
        Some(Check { wanted: value_of(value.trim(), len)?, hash })
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.hash {
            Hash::Md5(hash) => hash.update(bytes),
            Hash::Sha1(hash) => hash.update(bytes),
            Hash::Sha256(hash) => hash.update(bytes),
            Hash::Sha512(hash) => hash.update(bytes),
        }
    }

    /// What was heard is what was meant.
    pub fn agrees(self) -> bool {
        match self.hash {
            Hash::Md5(hash) => hash.finalize()[..] == self.wanted,
            Hash::Sha1(hash) => hash.finalize()[..] == self.wanted,
            Hash::Sha256(hash) => hash.finalize()[..] == self.wanted,
            Hash::Sha512(hash) => hash.finalize()[..] == self.wanted,
        }
    }
}

fn value_of(text: &str, len: usize) -> Option<Vec<u8>> {
    // An MD5 in padded base 32 is as long as one in hexadecimal.
    if let Some(value) = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok().filter(|value| value.len() == len) {
        return Some(value);
    }
    let base32 = text.trim_end_matches('=').to_ascii_uppercase();
    BASE32_NOPAD.decode(base32.as_bytes()).ok().filter(|value| value.len() == len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_understood() {
        for (value, right) in [
            ("sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ", Some(true)),
            ("SHA1:3i42h3s6nnfq2msvx7xzkyayscx5qbyj", Some(true)),
            ("sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709", Some(true)),
            ("sha1:DA39A3EE5E6B4B0D3255BFEF95601890AFD80708", Some(false)),
            ("sha256:4OYMIQUY7QOBJGX36TEJS35ZEQT24QPEMSNZGTFESWMRW6CSXBKQ====", Some(true)),
            ("sha-256:4OYMIQUY7QOBJGX36TEJS35ZEQT24QPEMSNZGTFESWMRW6CSXBKQ", Some(true)),
            ("md5:d41d8cd98f00b204e9800998ecf8427e", Some(true)),
            ("md5:2QOYZWMPACZAJ2MABGMOZ6CCPY======", Some(true)),
            ("sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBY", None),
            ("sha1:", None),
            ("blake3:00", None),
            ("3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ", None),
        ] {
            assert_eq!(Check::new(value).map(Check::agrees), right, "{value}");
        }
    }
}
