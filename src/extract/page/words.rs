//! Lists of words that are asked for again and again on each page.

use crate::extract::page::tree::is_in;

/// Words from this length on are told apart by their first letter alone.
const LONGEST: usize = 31;

/// A list of words in lower case, written with white space between them. Most words that are asked for are in no list,
/// and their length and first letter say so.
pub struct Words {
    list: &'static str,
    /// For each length, a bit for each first letter.
    starts: [u32; LONGEST + 1],
}

impl Words {
    pub const fn new(list: &'static str) -> Words {
        let bytes = list.as_bytes();
        let mut starts = [0; LONGEST + 1];
        let (mut start, mut at) = (0, 0);
        while at <= bytes.len() {
            if at == bytes.len() || bytes[at].is_ascii_whitespace() {
                if at > start {
                    let length = if at - start < LONGEST { at - start } else { LONGEST };
                    starts[length] |= bit(bytes[start]);
                }
                start = at + 1;
            }
            at += 1;
        }
        Words { list, starts }
    }

    /// The word is one of them.
    pub fn has(&self, word: &str) -> bool {
        self.may_have(word) && is_in(self.list, word)
    }

    /// The word in lower case is one of them.
    pub fn has_in_any_case(&self, word: &str) -> bool {
        self.may_have(word) && self.list.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(word))
    }

    fn may_have(&self, word: &str) -> bool {
        word.bytes().next().is_some_and(|first| self.starts[word.len().min(LONGEST)] & bit(first) != 0)
    }
}

/// One bit for a letter and its capital.
const fn bit(letter: u8) -> u32 {
    1 << (letter & 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_its_words_and_no_others() {
        const WORDS: Words = Words::new("ad  nav\n <p> a-word-that-is-longer-than-any-other-one x");
        for word in ["ad", "nav", "<p>", "x", "a-word-that-is-longer-than-any-other-one"] {
            assert!(WORDS.has(word) && WORDS.has_in_any_case(&word.to_uppercase()), "{word}");
        }
        for word in ["", "a", "ae", "na", "NAV", "p", "ad  nav", "a-word-that-is-longer-than-any-other-two"] {
            assert!(!WORDS.has(word), "{word}");
        }
    }
}
