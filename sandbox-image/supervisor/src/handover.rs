//! Handing a request to the held interpreter, and hearing whether it took it.
//!
//! The request: a little-endian `u32` length, then fields that each end in NUL: the script as an
//! argument, options for the hold, the number of arguments, the arguments, then `NAME=value` for each variable.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use saferun_frames::RunSpec;

use crate::interpreter::script_argument;
use crate::sys::{self, Moved};

/// Where the hand-over stands.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Not known yet.
    Pending,
    /// The kernel will tell of its calls here.
    Traced(OwnedFd),
    /// The kernel cannot tell of its calls.
    Untraced,
    /// The interpreter runs the script; nothing of the hold is left in it.
    Taken,
    /// The interpreter cannot: it must be replaced by a fresh one.
    Refused,
}

/// A hand-over under way.
#[derive(Debug)]
pub(crate) struct HandOver {
    request: OwnedFd,
    status: OwnedFd,
    bytes: Vec<u8>,
    written: usize,
    broken: bool,
}

impl HandOver {
    pub(crate) fn begin(request: OwnedFd, status: OwnedFd, spec: &RunSpec) -> Self {
        let mut this = Self {
            request,
            status,
            bytes: encode(spec),
            written: 0,
            broken: false,
        };
        this.push();
        this
    }

    /// Writes what goes without blocking.
    pub(crate) fn push(&mut self) {
        while self.written < self.bytes.len() && !self.broken {
            match sys::write_some(&self.request, &self.bytes[self.written..]) {
                Moved::Bytes(count) => self.written += count,
                Moved::Blocked => break,
                Moved::Closed => self.broken = true,
            }
        }
    }

    /// Reads the interpreter's answer, without blocking.
    pub(crate) fn answer(&self) -> Answer {
        let mut letter = [0];
        let (moved, descriptor) = sys::receive(&self.status, &mut letter);
        match moved {
            Moved::Bytes(_) if letter == *b"G" => Answer::Taken,
            Moved::Bytes(_) if letter == *b"N" => Answer::Untraced,
            Moved::Bytes(_) if letter == *b"T" && descriptor.is_some() => {
                descriptor.map_or(Answer::Untraced, Answer::Traced)
            }
            Moved::Bytes(_) | Moved::Closed => Answer::Refused,
            Moved::Blocked if self.broken => Answer::Refused,
            Moved::Blocked => Answer::Pending,
        }
    }

    /// Where a traced interpreter goes on to speak.
    pub(crate) fn into_status(self) -> OwnedFd {
        self.status
    }

    pub(crate) fn status(&self) -> BorrowedFd<'_> {
        self.status.as_fd()
    }

    /// The pipe to poll for room, if part of the request waits.
    pub(crate) fn wants_room(&self) -> Option<BorrowedFd<'_>> {
        (self.written < self.bytes.len() && !self.broken).then(|| self.request.as_fd())
    }
}

/// What the hold does before it lets the script go.
fn options(spec: &RunSpec) -> String {
    let mut options = Vec::new();
    if spec.account.artifacts.is_some() {
        options.push("figures".to_owned());
    }
    if spec.account.trace {
        let program = crate::trace::program();
        let hex = program.iter().map(|byte| format!("{byte:02x}"));
        options.push(format!(
            "trace={}:{}",
            libc::SYS_seccomp,
            hex.collect::<String>()
        ));
    }
    if spec.account.lines {
        options.push("lines".to_owned());
    }
    options.join(" ")
}

fn encode(spec: &RunSpec) -> Vec<u8> {
    let mut body = Vec::new();
    let mut field = |text: &str| {
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    };
    field(&script_argument(&spec.file_name));
    field(&options(spec));
    field(&spec.args.len().to_string());
    for arg in &spec.args {
        field(arg);
    }
    for (name, value) in &spec.env {
        field(&format!("{name}={value}"));
    }
    // Cannot truncate: the whole spec came in one frame of bounded length.
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.append(&mut body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use saferun_frames::PROTOCOL_VERSION;

    fn spec() -> RunSpec {
        RunSpec {
            protocol: PROTOCOL_VERSION,
            token: 7,
            file_name: "a.py".into(),
            args: vec![String::new(), "ü".into()],
            env: vec![("K".into(), "v=w".into())],
            source_len: 0,
            stdin: false,
            time_limit_ms: 0,
            output_head: 0,
            output_tail: 0,
            account: saferun_frames::Account::default(),
        }
    }

    #[test]
    fn the_request_keeps_empty_arguments_and_equals_signs() {
        let bytes = encode(&spec());
        let (length, body) = bytes.split_at(4);
        assert_eq!(
            length,
            u32::try_from(body.len()).expect("short").to_le_bytes()
        );
        assert_eq!(body, "a.py\u{0}\u{0}2\0\0ü\0K=v=w\0".as_bytes());
    }

    #[test]
    fn answers_are_heard_and_silence_at_the_end_is_a_refusal() {
        for (said, taken) in [(&b"G"[..], true), (b"C", false), (b"T", false)] {
            let (_reader, request) = sys::pipe().expect("a pipe");
            let (status, writer) = sys::message_pair().expect("a pair");
            let hand_over = HandOver::begin(request, status, &spec());
            assert!(matches!(hand_over.answer(), Answer::Pending));
            assert_eq!(sys::write_some(&writer, said), Moved::Bytes(1));
            match hand_over.answer() {
                Answer::Taken => assert!(taken),
                Answer::Refused => assert!(!taken),
                other => panic!("{other:?}"),
            }
            drop(writer);
            assert!(matches!(hand_over.answer(), Answer::Refused));
        }
    }

    #[test]
    fn a_dead_interpreter_is_a_refusal() {
        let (reader, request) = sys::pipe().expect("a pipe");
        let (status, _writer) = sys::message_pair().expect("a pair");
        drop(reader);
        let hand_over = HandOver::begin(request, status, &spec());
        assert!(matches!(hand_over.answer(), Answer::Refused));
    }
}
