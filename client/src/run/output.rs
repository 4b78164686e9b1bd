//! Where the output of a run goes: live to our own streams, into one JSON object, or as events.

use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{Event, OutputChunk, RunResult, Stream};

use super::live::Live;
use crate::{args::RunArgs, ui};

/// The way that was asked for.
pub(crate) enum Output {
    /// The program's own output, as it comes.
    Live(Box<Live>),
    /// One object at the end.
    Json(Box<Collected>),
    /// One line of JSON for each event.
    Events,
    /// None: the run is left to the daemon.
    Detached,
}

impl Output {
    /// By the command line.
    pub(crate) fn new(args: &RunArgs) -> Self {
        if args.json {
            Self::Json(Box::default())
        } else if args.stream {
            Self::Events
        } else if args.detach {
            Self::Detached
        } else {
            Self::Live(Box::new(Live::new(args.raw)))
        }
    }

    /// Whether the run is left to the daemon.
    pub(crate) const fn detached(&self) -> bool {
        matches!(self, Self::Detached)
    }

    /// Takes an event. An error is one of standard output.
    pub(crate) fn event(&mut self, event: &Event) -> io::Result<()> {
        match self {
            Self::Live(live) => match event {
                Event::Output { stream, chunk } => live.write(*stream, chunk),
                _ => Ok(()),
            },
            Self::Json(collected) => {
                collected.take(event);
                Ok(())
            }
            Self::Events => {
                let mut line = ui::json(event);
                line.push('\n');
                ui::try_out(line.as_bytes())
            }
            Self::Detached => Ok(()),
        }
    }

    /// Ends the output. Returns whether control sequences were shown instead of passed.
    pub(crate) fn finish(self, result: &RunResult) -> bool {
        match self {
            Self::Live(live) => live.finish(),
            Self::Json(collected) => {
                let mut result = result.clone();
                collected.fill(&mut result);
                ui::line(ui::json(&result));
                false
            }
            Self::Events | Self::Detached => false,
        }
    }
}

/// Bytes of output that an event tells of, those that were left out included.
pub(crate) fn written(event: &Event) -> Option<(Stream, u64)> {
    let Event::Output { stream, chunk } = event else {
        return None;
    };
    let bytes = match chunk {
        OutputChunk::Text { text } => text.len() as u64,
        OutputChunk::Base64 { base64 } => base64.len() as u64 / 4 * 3,
        OutputChunk::Gap { dropped_bytes } => *dropped_bytes,
    };
    Some((*stream, bytes))
}

/// The output of a run, put together from its events.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    streams: [Bytes; 2],
}

#[derive(Debug, Default)]
struct Bytes {
    bytes: Vec<u8>,
    gap: Option<(usize, u64)>,
}

impl Collected {
    /// Takes what the event brings, if it brings output.
    pub(crate) fn take(&mut self, event: &Event) {
        let Event::Output { stream, chunk } = event else {
            return;
        };
        let into = &mut self.streams[usize::from(*stream == Stream::Stderr)];
        match chunk {
            OutputChunk::Text { text } => into.bytes.extend_from_slice(text.as_bytes()),
            OutputChunk::Base64 { base64 } => into
                .bytes
                .extend(STANDARD.decode(base64).unwrap_or_default()),
            OutputChunk::Gap { dropped_bytes } => {
                into.gap = Some((into.bytes.len(), *dropped_bytes));
            }
        }
    }

    /// Puts it into the result.
    pub(crate) fn fill(self, result: &mut RunResult) {
        let [stdout, stderr] = self.streams;
        (result.stdout, result.stdout_base64) = stdout.text_and_raw();
        (result.stderr, result.stderr_base64) = stderr.text_and_raw();
    }
}

impl Bytes {
    fn text_and_raw(self) -> (String, Option<String>) {
        let raw = std::str::from_utf8(&self.bytes)
            .is_err()
            .then(|| STANDARD.encode(&self.bytes));
        let text = match self.gap {
            None => String::from_utf8_lossy(&self.bytes).into_owned(),
            Some((at, dropped)) => {
                let (head, tail) = self.bytes.split_at(at);
                let (head, tail) = (String::from_utf8_lossy(head), String::from_utf8_lossy(tail));
                format!("{head}\n[... {dropped} bytes left out ...]\n{tail}")
            }
        };
        (text, raw)
    }
}

#[cfg(test)]
mod tests {
    use saferun_protocol::Outcome;

    use super::*;

    fn output(stream: Stream, chunk: OutputChunk) -> Event {
        Event::Output { stream, chunk }
    }

    #[test]
    fn the_object_has_text_and_raw_bytes() {
        let mut collected = Collected::default();
        let text = |text: &str| OutputChunk::Text {
            text: text.to_owned(),
        };
        collected.take(&output(Stream::Stdout, text("a")));
        collected.take(&output(
            Stream::Stdout,
            OutputChunk::Gap { dropped_bytes: 7 },
        ));
        collected.take(&output(Stream::Stdout, text("b")));
        collected.take(&output(
            Stream::Stderr,
            OutputChunk::Base64 {
                base64: "/w==".to_owned(),
            },
        ));
        let mut result = RunResult::new("id".to_owned(), Outcome::Completed, String::new());
        collected.fill(&mut result);
        assert_eq!(result.stdout, "a\n[... 7 bytes left out ...]\nb");
        assert_eq!(result.stdout_base64, None);
        assert_eq!(result.stderr, "\u{fffd}");
        assert_eq!(result.stderr_base64.as_deref(), Some("/w=="));
    }
}
