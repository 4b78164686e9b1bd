//! Events on their way to a run's reader. A program that writes in small pieces does not cost a message each: pieces that
//! wait are joined, and small ones go out at a pace that no reader falls behind.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{Event, OutputChunk, Stream};

use super::output;

/// Events that wait for the reader; with this many, the program's output is no longer read.
const MOST: usize = 32;
/// Between a small piece of output and the next: nobody sees it, and a reader with a queue of 4,096 events has it filled
/// in 4 s rather than in 10 ms.
const PACE: Duration = Duration::from_millis(1);
/// A piece of so many bytes is not small, and none is joined to it.
const LARGE: usize = 16 * 1024;

/// The queue.
#[derive(Debug)]
pub(super) struct Pending {
    events: VecDeque<Event>,
    /// Whether there is a reader who is told events.
    read: bool,
    not_before: Instant,
}

impl Pending {
    /// With this event in it.
    pub(super) fn new(first: Event) -> Self {
        Self {
            events: VecDeque::from([first]),
            read: true,
            not_before: Instant::now(),
        }
    }

    /// Of a run whose reader waits for its end alone: nothing is ever in it.
    pub(super) fn of_nobody() -> Self {
        Self {
            events: VecDeque::new(),
            read: false,
            not_before: Instant::now(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.events.len() < MOST
    }

    pub(super) fn clear(&mut self) {
        self.events.clear();
    }

    /// Adds an event behind the others.
    pub(super) fn push(&mut self, event: Event) {
        if self.read {
            self.events.push_back(event);
        }
    }

    /// Adds output; joins it to what waits last, if that is of the same stream.
    pub(super) fn output(&mut self, stream: Stream, chunk: OutputChunk) {
        if let Some(Event::Output {
            stream: last,
            chunk: before,
        }) = self.events.back_mut()
            && *last == stream
            && join(before, &chunk)
        {
            return;
        }
        self.push(Event::Output { stream, chunk });
    }

    /// When the first may go out, if not now.
    pub(super) fn not_before(&self) -> Option<Instant> {
        matches!(self.events.front(), Some(Event::Output { .. })).then_some(self.not_before)
    }

    /// Takes the first, which goes out now.
    pub(super) fn pop(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if let Event::Output { chunk, .. } = &event
            && length(chunk) < LARGE
        {
            self.not_before = Instant::now() + PACE;
        }
        Some(event)
    }
}

fn length(chunk: &OutputChunk) -> usize {
    match chunk {
        OutputChunk::Text { text } => text.len(),
        OutputChunk::Base64 { base64 } => base64.len(),
        OutputChunk::Gap { .. } => 0,
    }
}

/// Adds `next` to `before`; `false`, and nothing is changed, if one of them is large or a gap.
fn join(before: &mut OutputChunk, next: &OutputChunk) -> bool {
    if length(before) >= LARGE || length(next) >= LARGE {
        return false;
    }
    if let (OutputChunk::Text { text }, OutputChunk::Text { text: next }) = (&mut *before, next) {
        text.push_str(next);
        return true;
    }
    let (Some(mut bytes), Some(next)) = (bytes(before), bytes(next)) else {
        return false;
    };
    bytes.extend(next);
    *before = output::chunk(bytes);
    true
}

fn bytes(chunk: &OutputChunk) -> Option<Vec<u8>> {
    match chunk {
        OutputChunk::Text { text } => Some(text.clone().into_bytes()),
        // Our own encoding: it decodes.
        OutputChunk::Base64 { base64 } => STANDARD.decode(base64).ok(),
        OutputChunk::Gap { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_nobody_nothing_is_kept_and_there_is_always_room() {
        let mut pending = Pending::of_nobody();
        for number in 0..=MOST {
            pending.push(Event::Started);
            pending.output(Stream::Stdout, output::chunk(vec![b'x'; LARGE + number]));
        }
        assert!(pending.is_empty() && pending.has_room());
        assert_eq!(pending.pop(), None);
    }

    fn all(pending: &mut Pending) -> Vec<Event> {
        std::iter::from_fn(|| pending.pop()).collect()
    }

    #[test]
    fn small_pieces_of_one_stream_are_joined_and_nothing_else_is() {
        let mut pending = Pending::new(Event::Started);
        let mut tell = |stream, bytes: &[u8]| pending.output(stream, output::chunk(bytes.to_vec()));
        tell(Stream::Stdout, b"a");
        tell(Stream::Stdout, b"b");
        tell(Stream::Stdout, b"\xff");
        tell(Stream::Stdout, b"c");
        tell(Stream::Stderr, b"e");
        tell(Stream::Stdout, b"d");
        pending.output(Stream::Stdout, OutputChunk::Gap { dropped_bytes: 3 });
        pending.output(Stream::Stdout, output::chunk(vec![b'x'; LARGE]));
        pending.output(Stream::Stdout, output::chunk(b"y".to_vec()));
        let chunks = all(&mut pending)
            .into_iter()
            .filter_map(|event| match event {
                Event::Output { chunk, .. } => {
                    Some(bytes(&chunk).unwrap_or_else(|| b"gap".to_vec()))
                }
                _ => None,
            });
        let chunks: Vec<_> = chunks.collect();
        let wanted: [&[u8]; 6] = [b"ab\xffc", b"e", b"d", b"gap", &[b'x'; LARGE], b"y"];
        assert_eq!(chunks, wanted);
    }

    #[test]
    fn only_output_that_follows_small_output_waits() {
        let mut pending = Pending::new(Event::Started);
        assert_eq!(pending.not_before(), None);
        pending.output(Stream::Stdout, output::chunk(b"a".to_vec()));
        let began = Instant::now();
        assert_eq!(pending.pop(), Some(Event::Started));
        assert!(
            pending.not_before() <= Some(began),
            "the first goes out at once"
        );
        assert!(pending.pop().is_some());
        pending.output(Stream::Stdout, output::chunk(vec![b'x'; LARGE]));
        let next = pending.not_before();
        assert!(next >= Some(began + PACE), "{next:?}");
        assert!(pending.pop().is_some());
        pending.output(Stream::Stdout, output::chunk(b"b".to_vec()));
        assert_eq!(
            pending.not_before(),
            next,
            "large output is followed at once"
        );
    }
}
