//! The whole output of one run in the order in which it came, for the result, the record and whoever follows.
//! Bounded by the run's own output limits.

use std::{
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{Event, OutputChunk, RunResult, Stream};
use tokio::sync::watch;

/// Longest piece that a follower gets at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Shared by the run and its followers.
#[derive(Debug)]
pub(crate) struct Transcript {
    inner: Mutex<Inner>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Inner {
    bytes: Vec<u8>,
    segments: Vec<Segment>,
    result: Option<Box<RunResult>>,
    /// Whether followers and the result get no output: the policy keeps it from whoever asked.
    withheld: bool,
}

#[derive(Debug)]
struct Segment {
    stream: Stream,
    bytes: Range<usize>,
    /// Bytes that are missing after it.
    gap: u64,
}

/// How far a follower has come.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    segment: usize,
    /// Bytes read or skipped, of both streams.
    byte: usize,
    gap_told: bool,
}

impl Place {
    /// So many bytes after the start.
    pub(crate) fn at(byte: usize) -> Self {
        Self {
            byte,
            ..Self::default()
        }
    }
}

/// One stream: its bytes, and where some are missing.
pub(crate) type Whole = (Vec<u8>, Option<u64>);

impl Default for Transcript {
    fn default() -> Self {
        Self {
            inner: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }
}

impl Transcript {
    /// That of a recorded run: standard output, then standard error.
    pub(crate) fn of(streams: [Whole; 2], result: &RunResult) -> Self {
        let transcript = Self::default();
        for (stream, (bytes, gap)) in [Stream::Stdout, Stream::Stderr].into_iter().zip(streams) {
            let at = gap
                .and_then(|at| usize::try_from(at).ok())
                .filter(|at| *at <= bytes.len());
            if let Some(at) = at {
                transcript.add(stream, &super::output::chunk(bytes[..at].to_vec()));
                transcript.add(
                    stream,
                    &OutputChunk::Gap {
                        dropped_bytes: result.dropped_bytes.max(1),
                    },
                );
            }
            transcript.add(
                stream,
                &super::output::chunk(bytes[at.unwrap_or(0)..].to_vec()),
            );
        }
        transcript.finish(result);
        transcript
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each use leaves it whole: it only appends.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on only the record gets the output.
    pub(super) fn withhold(&self) {
        self.lock().withheld = true;
    }

    /// Adds what came.
    pub(super) fn add(&self, stream: Stream, chunk: &OutputChunk) {
        let mut inner = self.lock();
        let start = inner.bytes.len();
        let mut missing = 0;
        match chunk {
            OutputChunk::Text { text } => inner.bytes.extend_from_slice(text.as_bytes()),
            // Our own encoding: it decodes.
            OutputChunk::Base64 { base64 } => {
                inner
                    .bytes
                    .extend(STANDARD.decode(base64).unwrap_or_default());
            }
            OutputChunk::Gap { dropped_bytes } => missing = *dropped_bytes,
        }
        let end = inner.bytes.len();
        match inner.segments.last_mut() {
            Some(last) if last.stream == stream && last.gap == 0 => {
                last.bytes.end = end;
                last.gap = missing;
            }
            _ => inner.segments.push(Segment {
                stream,
                bytes: start..end,
                gap: missing,
            }),
        }
        drop(inner);
        self.changed.send_replace(());
    }

    /// The run is over.
    pub(super) fn finish(&self, result: &RunResult) {
        self.lock().result = Some(Box::new(result.clone()));
        self.changed.send_replace(());
    }

    /// Notices each change.
    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// What comes next for a follower, if anything has come. The last is `finished`.
    pub(crate) fn next(&self, place: &mut Place) -> Option<Event> {
        let inner = self.lock();
        let shown = if inner.withheld {
            &[][..]
        } else {
            &inner.segments
        };
        while let Some(segment) = shown.get(place.segment) {
            if place.byte < segment.bytes.end {
                let from = place.byte.max(segment.bytes.start);
                let mut end = segment.bytes.end.min(from + PIECE);
                // No character is cut, unless it is none.
                while end < segment.bytes.end
                    && end > from + PIECE - 4
                    && inner.bytes[end] & 0xC0 == 0x80
                {
                    end -= 1;
                }
                place.byte = end;
                return Some(Event::Output {
                    stream: segment.stream,
                    chunk: super::output::chunk(inner.bytes[from..end].to_vec()),
                });
            }
            if segment.gap > 0 && !place.gap_told {
                place.gap_told = true;
                return Some(Event::Output {
                    stream: segment.stream,
                    chunk: OutputChunk::Gap {
                        dropped_bytes: segment.gap,
                    },
                });
            }
            if place.segment + 1 == shown.len() {
                break;
            }
            place.segment += 1;
            place.gap_told = false;
        }
        let result = inner.result.clone()?;
        Some(Event::Finished { result })
    }

    /// Both streams for whoever asked for the run.
    pub(crate) fn shown(&self) -> [Whole; 2] {
        if self.lock().withheld {
            return Default::default();
        }
        self.streams()
    }

    /// Both streams, for the record.
    pub(crate) fn streams(&self) -> [Whole; 2] {
        let inner = self.lock();
        [Stream::Stdout, Stream::Stderr].map(|wanted| {
            let (mut bytes, mut gap) = (Vec::new(), None);
            for segment in inner
                .segments
                .iter()
                .filter(|segment| segment.stream == wanted)
            {
                bytes.extend_from_slice(&inner.bytes[segment.bytes.clone()]);
                if segment.gap > 0 {
                    gap = Some(bytes.len() as u64);
                }
            }
            (bytes, gap)
        })
    }
}

/// Puts the output into a result.
pub(crate) fn fill(result: &mut RunResult, [stdout, stderr]: [Whole; 2]) {
    (result.stdout, result.stdout_base64) = text_and_raw(stdout);
    (result.stderr, result.stderr_base64) = text_and_raw(stderr);
}

fn text_and_raw((bytes, gap): Whole) -> (String, Option<String>) {
    let marked = |head: &[u8], tail: &[u8]| {
        let (head, tail) = (String::from_utf8_lossy(head), String::from_utf8_lossy(tail));
        format!("{head}\n[... output left out ...]\n{tail}")
    };
    let raw = std::str::from_utf8(&bytes)
        .is_err()
        .then(|| STANDARD.encode(&bytes));
    let at = gap
        .and_then(|at| usize::try_from(at).ok())
        .filter(|at| *at <= bytes.len());
    let text = match at {
        Some(at) => marked(&bytes[..at], &bytes[at..]),
        None => match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        },
    };
    (text, raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> OutputChunk {
        OutputChunk::Text {
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_follower_gets_everything_in_order_from_any_byte_on() {
        let transcript = Transcript::default();
        let mut place = Place::default();
        transcript.add(Stream::Stdout, &text("ab"));
        assert!(transcript.next(&mut place).is_some());
        assert_eq!(transcript.next(&mut place), None);
        transcript.add(Stream::Stdout, &text("cd"));
        transcript.add(Stream::Stderr, &text("e"));
        transcript.add(Stream::Stderr, &OutputChunk::Gap { dropped_bytes: 9 });
        transcript.add(Stream::Stderr, &text("f"));
        let rest = |mut place: Place| {
            let mut all = String::new();
            while let Some(Event::Output { chunk, .. }) = transcript.next(&mut place) {
                match chunk {
                    OutputChunk::Text { text } => all.push_str(&text),
                    OutputChunk::Gap { .. } => all.push('|'),
                    OutputChunk::Base64 { .. } => all.push('?'),
                }
            }
            all
        };
        assert_eq!(rest(place), "cde|f");
        assert_eq!(rest(Place::default()), "abcde|f");
        assert_eq!(
            rest(Place {
                byte: 3,
                ..Place::default()
            }),
            "de|f"
        );
        assert_eq!(
            transcript.streams(),
            [(b"abcd".to_vec(), None), (b"ef".to_vec(), Some(1))]
        );
    }
}
