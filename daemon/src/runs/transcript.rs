//! The whole output of one run in the order in which it came, for the result, the record and whoever follows.
//! Bounded by the run's own output limits.

use std::{
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{Event, OutputChunk, RunResult, Stream};
use tokio::sync::watch;

use crate::audit::Piece;

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
    /// Where it began to read: a gap before that was told to it then.
    start: usize,
    gap_told: bool,
}

impl Place {
    /// So many bytes after the start.
    pub(crate) fn at(byte: usize) -> Self {
        Self {
            byte,
            start: byte,
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
    /// That of a recorded run, and whether each byte stands where it stood while the run went on. It does not where
    /// secrets were taken out or no order was kept: then it is standard output, followed by standard error.
    pub(crate) fn of(streams: [Whole; 2], order: &[Piece], result: &RunResult) -> (Self, bool) {
        let lengths = [&streams[0], &streams[1]].map(|(bytes, _)| bytes.len() as u64);
        let told = [Stream::Stdout, Stream::Stderr].map(|stream| {
            let pieces = order.iter().filter(|piece| piece.stream == stream);
            pieces.fold(0_u64, |sum, piece| sum.saturating_add(piece.bytes))
        });
        let transcript = if order.is_empty() || told != lengths {
            Self::one_after_the_other(streams, result)
        } else {
            Self::mixed(&streams, order)
        };
        transcript.finish(result);
        let in_place = if order.is_empty() {
            lengths.contains(&0)
        } else {
            told == lengths
        };
        (transcript, in_place)
    }

    /// The pieces are as long together as the streams.
    fn mixed(streams: &[Whole; 2], order: &[Piece]) -> Self {
        let transcript = Self::default();
        let mut rest = [&streams[0].0[..], &streams[1].0[..]];
        for piece in order {
            let stream = &mut rest[usize::from(piece.stream == Stream::Stderr)];
            let length = usize::try_from(piece.bytes).unwrap_or(usize::MAX);
            let (bytes, after) = stream.split_at(length.min(stream.len()));
            *stream = after;
            if !bytes.is_empty() {
                transcript.add(piece.stream, &super::output::chunk(bytes.to_vec()));
            }
            if piece.gap > 0 {
                let dropped_bytes = piece.gap;
                transcript.add(piece.stream, &OutputChunk::Gap { dropped_bytes });
            }
        }
        transcript
    }

    fn one_after_the_other(streams: [Whole; 2], result: &RunResult) -> Self {
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
            if segment.gap > 0 && !place.gap_told && segment.bytes.end >= place.start {
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

    /// How the streams are mixed, for the record.
    pub(super) fn order(&self) -> Vec<Piece> {
        let inner = self.lock();
        let pieces = inner.segments.iter().map(|segment| Piece {
            stream: segment.stream,
            bytes: segment.bytes.len() as u64,
            gap: segment.gap,
        });
        pieces.collect()
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

    /// Each byte with its stream, gaps as `|`.
    fn read(transcript: &Transcript, mut place: Place, most: usize) -> Vec<(Stream, u8)> {
        let mut all = Vec::new();
        while let Some(Event::Output { stream, chunk }) = transcript.next(&mut place) {
            match chunk {
                OutputChunk::Text { text } => all.extend(text.bytes().map(|byte| (stream, byte))),
                OutputChunk::Base64 { base64 } => {
                    let bytes = STANDARD.decode(base64).unwrap();
                    all.extend(bytes.into_iter().map(|byte| (stream, byte)));
                }
                OutputChunk::Gap { .. } => {}
            }
        }
        all.truncate(most);
        all
    }

    fn mixed_run() -> Transcript {
        let transcript = Transcript::default();
        for (stream, bytes) in [
            (Stream::Stderr, "warn ".as_bytes()),
            (Stream::Stdout, "a\u{e9}b".as_bytes()),
            (Stream::Stderr, b"\xff\xfe"),
            (Stream::Stdout, b"tail"),
        ] {
            transcript.add(stream, &super::super::output::chunk(bytes.to_vec()));
        }
        transcript.add(Stream::Stdout, &OutputChunk::Gap { dropped_bytes: 9 });
        transcript.add(Stream::Stdout, &text("end"));
        transcript.add(Stream::Stderr, &text("!"));
        transcript
    }

    fn ended() -> RunResult {
        RunResult::new(
            "1".to_owned(),
            saferun_protocol::Outcome::Completed,
            String::new(),
        )
    }

    #[test]
    fn a_follower_cut_off_at_any_byte_goes_on_in_the_record_without_loss_or_repeat() {
        let live = mixed_run();
        let all = read(&live, Place::default(), usize::MAX);
        let (recorded, in_place) = Transcript::of(live.streams(), &live.order(), &ended());
        assert!(in_place);
        for cut in 0..=all.len() {
            let mut seen = read(&live, Place::default(), cut);
            seen.extend(read(&recorded, Place::at(cut), usize::MAX));
            assert_eq!(seen, all, "cut at {cut}");
        }
        assert_eq!(recorded.order(), live.order());
        // Who was told of the gap is not told again.
        let gaps = |from| {
            let mut place = Place::at(from);
            let events = std::iter::from_fn(|| match recorded.next(&mut place)? {
                Event::Output { chunk, .. } => Some(matches!(chunk, OutputChunk::Gap { .. })),
                _ => None,
            });
            events.filter(|gap| *gap).count()
        };
        assert_eq!((gaps(0), gaps(all.len() - 2)), (1, 0));
    }

    #[test]
    fn a_record_whose_bytes_moved_says_so() {
        let live = mixed_run();
        let mut redacted = live.streams();
        redacted[0].0.extend(b"[redacted]");
        assert!(!Transcript::of(redacted, &live.order(), &ended()).1);
        assert!(!Transcript::of(live.streams(), &[], &ended()).1);
        let one = [(b"out".to_vec(), None), (Vec::new(), None)];
        assert!(Transcript::of(one, &[], &ended()).1);
    }
}
