//! Any bytes, cut in two ways, are read alike, and no byte is lost.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pressmark::web::framing::{Framing, Part};

/// Everything that can be seen of one reading.
#[derive(Debug, PartialEq, Eq)]
struct Reading {
    kept: Vec<u8>,
    final_at: usize,
    parts: Option<Vec<Part>>,
    done: bool,
    malformed: bool,
    reusable: bool,
}

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>, answers_head: bool) -> Reading {
    let mut framing = Framing::new(answers_head);
    let mut body = Vec::new();
    let open = pieces.into_iter().all(|piece| framing.feed(piece, &mut body) == piece.len());
    if open {
        framing.close();
    }
    let (done, malformed, reusable) = (framing.is_done(), framing.is_malformed(), framing.is_reusable());
    let (mut kept, final_at, parts) = framing.into_head();
    for part in parts.iter().flatten() {
        assert!(part.at + part.len <= body.len() as u64, "a part outside the body");
    }
    kept.extend_from_slice(&body);
    Reading { kept, final_at, parts, done, malformed, reusable }
}

fuzz_target!(|input: &[u8]| {
    let [size, answer @ ..] = input else { return };
    let (size, answers_head) = (usize::from(size >> 1) + 1, size & 1 == 1);
    let whole = read(std::iter::once(answer), answers_head);
    assert_eq!(read(answer.chunks(size), answers_head), whole, "pieces of {size} make a difference");
    assert!(answer.starts_with(&whole.kept), "what is kept is not what came");
    assert!(whole.done || whole.kept.len() == answer.len(), "a byte is lost");
});
