//! The program's output on our own streams: untouched for a pipe or a file, harmless on a terminal.

use std::io::{self, IsTerminal};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{OutputChunk, Stream};

use crate::ui::{self, Sanitiser};

/// Both streams.
pub(crate) struct Live {
    stdout: Channel,
    stderr: Channel,
}

struct Channel {
    /// Absent where bytes pass untouched.
    sanitiser: Option<Sanitiser>,
    terminal: bool,
}

impl Live {
    /// Streams as they are connected now; `raw` passes everything.
    pub(crate) fn new(raw: bool) -> Self {
        let channel = |terminal: bool| Channel {
            sanitiser: (terminal && !raw).then(Sanitiser::default),
            terminal,
        };
        Self {
            stdout: channel(io::stdout().is_terminal()),
            stderr: channel(io::stderr().is_terminal()),
        }
    }

    /// Writes a chunk. Only a failure of standard output is an error, as it is for other tools.
    pub(crate) fn write(&mut self, stream: Stream, chunk: &OutputChunk) -> io::Result<()> {
        match stream {
            Stream::Stdout => self.stdout.pass(chunk, ui::try_out),
            Stream::Stderr => {
                let _ = self.stderr.pass(chunk, ui::try_err);
                Ok(())
            }
        }
    }

    /// Writes what was held back. Returns whether anything was shown instead of passed.
    pub(crate) fn finish(mut self) -> bool {
        if let Some(sanitiser) = &mut self.stdout.sanitiser {
            ui::out(sanitiser.finish());
        }
        if let Some(sanitiser) = &mut self.stderr.sanitiser {
            ui::err(sanitiser.finish());
        }
        let altered =
            |channel: &Channel| channel.sanitiser.as_ref().is_some_and(Sanitiser::altered);
        altered(&self.stdout) || altered(&self.stderr)
    }
}

impl Channel {
    fn pass(&mut self, chunk: &OutputChunk, write: fn(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let decoded;
        let bytes = match chunk {
            OutputChunk::Text { text } => text.as_bytes(),
            OutputChunk::Base64 { base64 } => {
                decoded = STANDARD.decode(base64).map_err(io::Error::other)?;
                &decoded
            }
            // Said on standard error afterwards: a file gets the program's own bytes and no others.
            OutputChunk::Gap { .. } if !self.terminal => return Ok(()),
            OutputChunk::Gap { dropped_bytes } => {
                return write(format!("\n[... {dropped_bytes} bytes left out ...]\n").as_bytes());
            }
        };
        match &mut self.sanitiser {
            None => write(bytes),
            Some(sanitiser) => write(sanitiser.push(bytes).as_bytes()),
        }
    }
}
