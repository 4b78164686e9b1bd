//! What a streamed run tells while it goes on. The end is an event too: `finished`, always the last.

use serde::{Deserialize, Serialize};

use crate::{
    finding::{Finding, Risk},
    result::RunResult,
};

/// An item of a `saferun.subscribeRun` subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The run has an id and was scanned; it may still be refused or wait.
    Accepted {
        /// Id of the run, for `saferun.kill` and `saferun.stdin`.
        id: String,
        /// Highest level found.
        risk: Risk,
        /// What the scanner found.
        findings: Vec<Finding>,
    },
    /// The program was handed over.
    Started,
    /// The program wrote something.
    Output {
        /// Where it wrote to.
        stream: Stream,
        /// What it wrote.
        #[serde(flatten)]
        chunk: OutputChunk,
    },
    /// So many more bytes of standard input may be sent with `saferun.stdin`.
    StdinCredit {
        /// Additional bytes.
        bytes: u32,
    },
    /// The run is over; `result` has no output in it, which came as `output` events.
    Finished {
        /// How it ended.
        result: Box<RunResult>,
    },
}

/// One of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Some output: text where the bytes are UTF-8, else base64, so that nothing is ever lost.
/// A character that was split between two writes is held back until it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OutputChunk {
    /// Text.
    Text {
        /// The characters as the program wrote them, unsanitised.
        text: String,
    },
    /// Bytes that are not text.
    Base64 {
        /// The bytes in standard base64 with padding.
        base64: String,
    },
    /// The output's middle was dropped here; the rest of the stream is its tail.
    Gap {
        /// Bytes left out.
        dropped_bytes: u64,
    },
}
