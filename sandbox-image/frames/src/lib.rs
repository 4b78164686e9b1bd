//! Frames on the stream between the daemon and the supervisor (PID 1) of one container.
//!
//! A frame is one type byte, a little-endian `u32` length and that many payload bytes. Control
//! payloads are JSON, data payloads raw bytes. Both ends treat the other's bytes as hostile: lengths
//! are capped before anything is allocated, unknown types are errors, nothing recurses.

mod codec;
mod effects;
mod message;
mod trace;

pub use codec::{Decoder, FrameError, HEADER_LEN, MAX_DATA, MAX_PAYLOAD, encode, encode_into};
pub use effects::{
    Account, Budget, Change, ChangeKind, Collected, Entry, EntryType, FileHead, LeftBehind,
    MAX_CHANGES, MAX_DEPTH, MAX_FILES, MAX_NAME, MAX_NAMES, MAX_NOTES, MAX_PATH, PathError, Place,
    check_path,
};
pub use message::{
    EndReport, Exit, FLOOD_BYTES, Facts, Fault, FaultStage, PROTOCOL_VERSION, Ready, RunSpec,
    StreamTotals, ToDaemon, ToSupervisor,
};
pub use trace::{EventKind, MAX_EVENTS, MAX_TEXT, Seen, TraceEnd, TraceEvent, TraceVerdict};
