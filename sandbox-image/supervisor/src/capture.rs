//! One output stream's budget: what is passed on at once, what is kept for the end, what is
//! dropped and counted. Pure.

use std::collections::VecDeque;

use saferun_frames::StreamTotals;

/// Head and tail of one output stream.
#[derive(Debug)]
pub(crate) struct Capture {
    head_left: u64,
    tail: VecDeque<u8>,
    tail_cap: usize,
    totals: StreamTotals,
}

impl Capture {
    /// Passes on `head` bytes and keeps the last `tail` bytes after them.
    pub(crate) fn new(head: u64, tail: usize) -> Self {
        Self {
            head_left: head,
            tail: VecDeque::new(),
            tail_cap: tail,
            totals: StreamTotals::default(),
        }
    }

    /// Takes bytes as the program wrote them and gives back the part to pass on now.
    pub(crate) fn accept<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        self.totals.total += bytes.len() as u64;
        let head = usize::try_from(self.head_left)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        self.head_left -= head as u64;
        let (now, rest) = bytes.split_at(head);
        self.keep(rest);
        now
    }

    fn keep(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let skipped = bytes.len().saturating_sub(self.tail_cap);
        let kept = &bytes[skipped..];
        let overflow = (self.tail.len() + kept.len()).saturating_sub(self.tail_cap);
        self.tail.drain(..overflow);
        self.tail.extend(kept);
        self.totals.dropped += (skipped + overflow) as u64;
    }

    /// The bytes kept from the end. If none were dropped they follow the head without a gap.
    pub(crate) fn take_tail(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.tail).into()
    }

    pub(crate) fn totals(&self) -> StreamTotals {
        self.totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(head: u64, tail: usize, chunks: &[&[u8]]) -> (Vec<u8>, Vec<u8>, StreamTotals) {
        let mut capture = Capture::new(head, tail);
        let mut passed = Vec::new();
        for chunk in chunks {
            passed.extend_from_slice(capture.accept(chunk));
        }
        let tail = capture.take_tail();
        (passed, tail, capture.totals())
    }

    #[test]
    fn a_stream_within_the_head_is_passed_on_whole() {
        let (passed, tail, totals) = run(6, 4, &[b"abc", b"def"]);
        assert_eq!(
            (passed.as_slice(), tail.as_slice()),
            (&b"abcdef"[..], &b""[..])
        );
        assert_eq!(
            totals,
            StreamTotals {
                total: 6,
                dropped: 0
            }
        );
    }

    #[test]
    fn the_middle_is_dropped_and_counted() {
        let (passed, tail, totals) = run(4, 3, &[b"abcdef", b"gh", b"ij"]);
        assert_eq!(
            (passed.as_slice(), tail.as_slice()),
            (&b"abcd"[..], &b"hij"[..])
        );
        assert_eq!(
            totals,
            StreamTotals {
                total: 10,
                dropped: 3
            }
        );
    }

    #[test]
    fn one_chunk_longer_than_all_budgets() {
        let (passed, tail, totals) = run(2, 2, &[b"abcdefgh"]);
        assert_eq!(
            (passed.as_slice(), tail.as_slice()),
            (&b"ab"[..], &b"gh"[..])
        );
        assert_eq!(
            totals,
            StreamTotals {
                total: 8,
                dropped: 4
            }
        );
    }

    #[test]
    fn no_head_and_no_tail_drop_everything() {
        let (passed, tail, totals) = run(0, 0, &[b"abc"]);
        assert!(passed.is_empty() && tail.is_empty());
        assert_eq!(
            totals,
            StreamTotals {
                total: 3,
                dropped: 3
            }
        );
    }

    #[test]
    fn nothing_is_lost_or_counted_twice_at_any_split() {
        let all: Vec<u8> = (0..=99).collect();
        for chunk in 1..40 {
            let chunks: Vec<&[u8]> = all.chunks(chunk).collect();
            let (passed, tail, totals) = run(30, 20, &chunks);
            assert_eq!(passed, &all[..30]);
            assert_eq!(tail, &all[80..]);
            assert_eq!(
                totals,
                StreamTotals {
                    total: 100,
                    dropped: 50
                }
            );
        }
    }
}
