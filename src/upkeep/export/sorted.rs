//! Lines put in the order of their bytes, however many there are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Lines, Seek, Write};

/// So many bytes of lines are in memory; more of them wait in files.
const IN_MEMORY: usize = 64 << 20;

/// Takes lines in any order and gives them back sorted, each once.
pub(super) struct Sorted {
    held: Vec<String>,
    bytes: usize,
    limit: usize,
    runs: Vec<File>,
}

impl Default for Sorted {
    fn default() -> Sorted {
        Sorted { held: Vec::new(), bytes: 0, limit: IN_MEMORY, runs: Vec::new() }
    }
}

impl Sorted {
    /// Takes a line without its end.
    ///
    /// # Errors
    /// When a file for what memory does not hold cannot be written.
    pub(super) fn push(&mut self, line: String) -> io::Result<()> {
        self.bytes += line.len() + size_of::<String>();
        self.held.push(line);
        if self.bytes < self.limit {
            return Ok(());
        }
        self.bytes = 0;
        self.held.sort_unstable();
        let mut out = BufWriter::new(tempfile::tempfile()?);
        for line in self.held.drain(..) {
            writeln!(out, "{line}")?;
        }
        let mut run = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        run.rewind()?;
        self.runs.push(run);
        Ok(())
    }

    /// Gives the lines in order.
    ///
    /// # Errors
    /// What `each` returns, or when a file cannot be read.
    pub(super) fn each<E: From<io::Error>>(mut self, mut each: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        self.held.sort_unstable();
        let mut sources: Vec<Source> =
            self.runs.into_iter().map(|run| Source::Run(BufReader::new(run).lines())).collect();
        sources.push(Source::Held(self.held.into_iter()));
        // The least line of each source, the least of all on top.
        let mut heads = BinaryHeap::new();
        for (i, source) in sources.iter_mut().enumerate() {
            heads.extend(source.next()?.map(|line| Reverse((line, i))));
        }
        let mut last = None;
        while let Some(Reverse((line, i))) = heads.pop() {
            heads.extend(sources[i].next()?.map(|line| Reverse((line, i))));
            if last.as_ref() != Some(&line) {
                each(&line)?;
                last = Some(line);
            }
        }
        Ok(())
    }
}

enum Source {
    Run(Lines<BufReader<File>>),
    Held(std::vec::IntoIter<String>),
}

impl Source {
    fn next(&mut self) -> io::Result<Option<String>> {
        match self {
            Source::Run(lines) => lines.next().transpose(),
            Source::Held(lines) => Ok(lines.next()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_sorted_and_once_however_little_memory_there_is() {
        for limit in [1, 100, 1 << 20] {
            let mut sorted = Sorted { limit, ..Sorted::default() };
            for i in 0..200_u32 {
                sorted.push(format!("{:x}", i * 37 % 97)).unwrap();
            }
            let mut want: Vec<String> = (0..97).map(|n| format!("{n:x}")).collect();
            want.sort();
            let mut lines = Vec::new();
            sorted
                .each::<io::Error>(|line| {
                    lines.push(line.to_owned());
                    Ok(())
                })
                .unwrap();
            assert!(lines == want, "{lines:?}");
            assert!(lines.is_sorted() && lines.windows(2).all(|pair| pair[0] != pair[1]), "{lines:?}");
        }
    }
}
