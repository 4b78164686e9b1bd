//! What a program was seen doing. Every text in it comes from the program's memory: hostile, bounded, possibly outdated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Most events that are told of one run; further ones are counted.
pub const MAX_EVENTS: usize = 2000;

/// Longest text of an event, in bytes.
pub const MAX_TEXT: usize = 512;

/// What kind of thing a program did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// It started a program, or a process of its own.
    Process,
    /// It opened a file for writing, made one, or changed its mode.
    Write,
    /// It deleted or emptied something, or moved it away.
    Delete,
    /// It looked for a secret.
    Secret,
    /// It tried to reach an address, or to be reached at one.
    Network,
    /// It asked for the address of a name.
    Name,
    /// It made a system call that the trace refuses: one that would hide it.
    Refused,
}

/// What became of it, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceVerdict {
    /// The sandbox let it through, within itself: asked before the call, so whether it succeeded is not known.
    Allowed,
    /// The sandbox has nothing behind it, or does not permit it.
    Refused,
}

/// Whose word it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// The kernel's: the program made this system call.
    Kernel,
    /// The program's own interpreter's: it can be false or missing.
    Program,
}

/// One thing, or the same thing several times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// From the start of the run to the first time, in microseconds.
    pub at_us: u64,
    /// What kind of thing.
    pub kind: EventKind,
    /// The system call, or the event of the interpreter, by name.
    pub call: String,
    /// Path, address or command, at most [`MAX_TEXT`] bytes.
    pub what: String,
    /// What became of it.
    pub verdict: TraceVerdict,
    /// Process that did it first.
    pub pid: i32,
    /// How often it happened.
    pub count: u32,
    /// The script's file, as the program says.
    pub file: Option<String>,
    /// The line in it, as the program says.
    pub line: Option<u32>,
    /// Whose word the event is.
    pub seen: Seen,
}

/// The whole trace, in order of the first times.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TraceEnd {
    /// Why the kernel's word is missing, if it is: a sentence.
    pub unavailable: Option<String>,
    /// Things that happened, those that are not told included.
    pub total: u64,
    /// Things that are not told: over the bound of their kind.
    pub left_out: u64,
    /// How many of each kind they are.
    #[serde(default)]
    pub left_out_by_kind: BTreeMap<EventKind, u64>,
}
