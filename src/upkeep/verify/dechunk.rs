//! Undoes the chunked transfer coding of a body that comes in pieces (RFC 9112, 7.1).

/// As long as a size line may be.
const LINE_MAX: usize = 4096;

/// See the module's head. What is no chunked body comes out as nothing more from there on.
#[derive(Default)]
pub(super) struct Dechunk {
    state: State,
    line: Vec<u8>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    Data(u64),
    /// The line end after the data.
    AfterData,
    Over,
}

impl Dechunk {
    /// Takes a piece, and gives what of it is data.
    pub fn feed(&mut self, mut piece: &[u8], data: &mut dyn FnMut(&[u8])) {
        while !piece.is_empty() {
            match self.state {
                State::Over => return,
                State::Data(left) => {
                    let take = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    let (now, later) = piece.split_at(take);
                    data(now);
                    piece = later;
                    let left = left - take as u64;
                    self.state = if left == 0 { State::AfterData } else { State::Data(left) };
                }
                State::Size | State::AfterData => {
                    let end = piece.iter().position(|byte| *byte == b'\n');
                    let (now, later) = piece.split_at(end.map_or(piece.len(), |end| end + 1));
                    self.line.extend_from_slice(now);
                    piece = later;
                    if self.line.len() > LINE_MAX {
                        self.state = State::Over;
                    } else if end.is_some() {
                        self.state = self.after_line();
                        self.line.clear();
                    }
                }
            }
        }
    }

    fn after_line(&self) -> State {
        if self.state == State::AfterData {
            return if self.line.trim_ascii().is_empty() { State::Size } else { State::Over };
        }
        let digits = self.line.split(|byte| matches!(byte, b';' | b' ' | b'\t' | b'\r' | b'\n')).next().unwrap_or(&[]);
        let size = std::str::from_utf8(digits).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok());
        match size {
            Some(size) if size > 0 => State::Data(size),
            _ => State::Over,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_no_difference() {
        let body = b"5;x=y\r\nhello\r\n6\n world\n0\r\nTrailer: 1\r\n\r\n";
        for size in 1..body.len() {
            let (mut dechunk, mut data) = (Dechunk::default(), Vec::new());
            body.chunks(size).for_each(|piece| dechunk.feed(piece, &mut |now| data.extend_from_slice(now)));
            assert_eq!(data, b"hello world", "pieces of {size}");
        }
        let mut none = Vec::new();
        Dechunk::default().feed(b"<html>\n5\nhello", &mut |now| none.extend_from_slice(now));
        assert!(none.is_empty());
    }
}
