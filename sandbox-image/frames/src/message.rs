//! The messages that frames carry, and their types. What they mean, not how they travel.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    codec::{Decoder, FrameError, encode},
    effects::{Account, Change, Collected, FileHead},
    trace::{TraceEnd, TraceEvent},
};

/// Raised on each incompatible change; a supervisor of another version is not used.
pub const PROTOCOL_VERSION: u16 = 3;

mod kind {
    pub(super) const RUN: u8 = 0x01;
    pub(super) const SOURCE: u8 = 0x02;
    pub(super) const START: u8 = 0x03;
    pub(super) const STDIN: u8 = 0x04;
    pub(super) const STDIN_END: u8 = 0x05;
    pub(super) const TERMINATE: u8 = 0x06;
    pub(super) const FILE: u8 = 0x07;
    pub(super) const FILE_DATA: u8 = 0x08;
    pub(super) const READY: u8 = 0x81;
    pub(super) const STDOUT: u8 = 0x82;
    pub(super) const STDERR: u8 = 0x83;
    pub(super) const STDOUT_TAIL: u8 = 0x84;
    pub(super) const STDERR_TAIL: u8 = 0x85;
    pub(super) const STDIN_CREDIT: u8 = 0x86;
    pub(super) const END: u8 = 0x87;
    pub(super) const FAULT: u8 = 0x88;
    pub(super) const COLLECTING: u8 = 0x89;
    pub(super) const CHANGE: u8 = 0x8a;
    pub(super) const CONTENT: u8 = 0x8b;
    pub(super) const TRACE: u8 = 0x8c;
}

/// What the daemon sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToSupervisor {
    /// What to run; first frame of a run.
    Run(RunSpec),
    /// A piece of the source text, in order, [`RunSpec::source_len`] bytes in all.
    Source(Vec<u8>),
    /// A file for the workspace beside the script; after the whole source.
    File(FileHead),
    /// A piece of that file, in order, [`FileHead::size`] bytes in all.
    FileData(Vec<u8>),
    /// Begin: everything was sent.
    Start,
    /// Bytes for the program's standard input, never more than the credit granted.
    Stdin(Vec<u8>),
    /// No more standard input: the program sees end of file after what was sent.
    StdinEnd,
    /// Kill the program's whole tree now and report.
    Terminate,
}

/// What the supervisor sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToDaemon {
    /// The interpreter stands by; carries the inner witness of the attestation.
    Ready(Box<Ready>),
    /// Bytes of the program's standard output, as it wrote them.
    Stdout(Vec<u8>),
    /// Bytes of the program's standard error, as it wrote them.
    Stderr(Vec<u8>),
    /// The last bytes of standard output after a gap; sent just before the end.
    StdoutTail(Vec<u8>),
    /// The last bytes of standard error after a gap; sent just before the end.
    StderrTail(Vec<u8>),
    /// So many more bytes of standard input may be sent.
    StdinCredit(u32),
    /// Nothing of the run is alive; what it left behind is being looked at.
    Collecting,
    /// Something that is not as it was; after `Collecting`.
    Change(Box<Change>),
    /// A piece of the content of the change before it, in order.
    Content(Vec<u8>),
    /// Things that the program did, in order; after `Collecting`.
    Trace(Vec<TraceEvent>),
    /// The run is over and nothing of it is alive; last frame.
    End(Box<EndReport>),
    /// The supervisor cannot go on; last frame.
    Fault(Fault),
}

/// A run as the supervisor needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSpec {
    /// [`PROTOCOL_VERSION`] of the sender.
    pub protocol: u16,
    /// Random for each run and told to the supervisor alone: [`EndReport::token`] repeats it, so that
    /// a program that found a way to write to the stream still could not forge its own account.
    pub token: u64,
    /// Path of the script below `/workspace`, at most 200 bytes; see [`check_path`](crate::check_path).
    pub file_name: String,
    /// Arguments after the script's name.
    pub args: Vec<String>,
    /// Environment variables to add to the fixed ones of the image.
    pub env: Vec<(String, String)>,
    /// Length in bytes of the source that follows in `Source` frames.
    pub source_len: u64,
    /// Whether `Stdin` frames will come; otherwise the program reads end of file at once.
    pub stdin: bool,
    /// Time limit in milliseconds of the supervisor's own timer, which backs the daemon's; 0 for none.
    pub time_limit_ms: u64,
    /// Bytes of each output stream that are passed on as they come.
    pub output_head: u64,
    /// Bytes of each output stream that are kept from its end once the head is spent.
    pub output_tail: u64,
    /// What is to be told besides output and end.
    #[serde(default)]
    pub account: Account,
}

/// Said once, when the interpreter waits for its script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// [`PROTOCOL_VERSION`] of the supervisor.
    pub protocol: u16,
    /// Interpreter that stands by, as `python 3.11.2`.
    pub interpreter: String,
    /// Whether the interpreter is warm; `false` means that each run starts it first.
    pub warm: bool,
    /// What the kernel says of the supervisor and of this container, from inside.
    pub facts: Facts,
}

/// What can be seen from inside. `None`: this kernel or runtime does not show it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// Real, effective, saved and file-system uid, from `/proc/self/status`.
    pub uid: Option<[u32; 4]>,
    /// The same for the group.
    pub gid: Option<[u32; 4]>,
    /// Supplementary groups.
    pub groups: Option<Vec<u32>>,
    /// Capability sets as hexadecimal masks: inheritable, permitted, effective, bounding, and ambient where the kernel
    /// shows it.
    pub capabilities: Option<Vec<String>>,
    /// `NoNewPrivs` of `/proc/self/status`.
    pub no_new_privs: Option<bool>,
    /// `Seccomp` of `/proc/self/status`: 0 off, 1 strict, 2 filter.
    pub seccomp: Option<u32>,
    /// Whether the root file system is mounted read-only, from `/proc/self/mountinfo`.
    pub root_read_only: Option<bool>,
    /// Writable mounts: mount point, file system type, options; pseudo file systems left out.
    pub writable_mounts: Option<Vec<String>>,
    /// Names of network interfaces, from `/proc/net/dev`.
    pub interfaces: Option<Vec<String>>,
    /// Memory limit in bytes, from the memory cgroup as seen from inside.
    pub memory_limit: Option<u64>,
    /// Memory plus swap limit in bytes (cgroup v1), or swap limit (v2, 0 when none may be used).
    pub swap_limit: Option<u64>,
    /// CPU limit in thousandths of a CPU.
    pub cpu_millis: Option<u64>,
    /// Limit on the number of tasks.
    pub pids_limit: Option<u64>,
    /// Soft and hard limit on open files.
    pub open_files: Option<[u64; 2]>,
    /// Soft and hard limit on the size of a core file.
    pub core_size: Option<[u64; 2]>,
    /// Whether the supervisor has made itself undumpable.
    pub dumpable: Option<bool>,
    /// `linux` or `gvisor`.
    pub kernel: Option<String>,
    /// Whether the supervisor's folder in `/proc` is covered by a mount.
    pub covered: Option<bool>,
    /// What stood in the folders that a run can write to, and which processes there were beside the supervisor, before it
    /// did anything: each container serves one run, so there must be nothing.
    pub left_behind: Option<Vec<String>>,
}

/// Bytes on both output streams together after which a program is ended. What is beyond head and tail is thrown away
/// anyway, and reading it takes CPU time that nobody gets anything for.
pub const FLOOD_BYTES: u64 = 4 << 30;

/// How the program's main process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It returned this code, 0 to 255.
    Code(u8),
    /// This signal ended it.
    Signal(u8),
}

/// Bytes that the program wrote to one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StreamTotals {
    /// All bytes written by the program and read by the supervisor.
    pub total: u64,
    /// Bytes that were neither in the head nor in the tail.
    pub dropped: u64,
}

/// The account of a run, given when nothing of it is alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndReport {
    /// [`RunSpec::token`] of the run; 0 if it was called off before its specification came.
    pub token: u64,
    /// How the main process ended.
    pub exit: Exit,
    /// True if the supervisor killed it because it was told to.
    pub terminated: bool,
    /// True if the supervisor's own timer killed it.
    pub timed_out: bool,
    /// True if the supervisor killed it for more than [`FLOOD_BYTES`] of output.
    #[serde(default)]
    pub flooded: bool,
    /// From the hand-over of the script to the end of the main process, in microseconds.
    pub wall_us: u64,
    /// From the end of the main process to this report, in microseconds: what was left was ended, output drained, and
    /// told what was asked for.
    #[serde(default)]
    pub report_us: u64,
    /// CPU time of the run, in microseconds, from the cgroup's counter as a difference.
    pub cpu_us: Option<u64>,
    /// Time that the run was held back by the limit on CPU, in microseconds, as a difference.
    #[serde(default)]
    pub throttled_us: Option<u64>,
    /// Highest memory use of the container, in bytes.
    pub peak_memory: Option<u64>,
    /// Processes that the kernel killed for want of memory.
    pub oom_kills: Option<u64>,
    /// Times that the limit on tasks refused a new one.
    pub pids_denied: Option<u64>,
    /// Mount points of writable tmpfs that had no free block or no free inode at the end.
    pub full_mounts: Vec<String>,
    /// Processes still alive when the main one ended, which were killed.
    pub orphans_killed: u32,
    /// Standard output.
    pub stdout: StreamTotals,
    /// Standard error.
    pub stderr: StreamTotals,
    /// How far the collecting came, if any was asked for.
    #[serde(default)]
    pub collected: Option<Collected>,
    /// The figures of the trace, if one was asked for.
    #[serde(default)]
    pub trace: Option<TraceEnd>,
}

/// Why the supervisor cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What it was doing.
    pub stage: FaultStage,
    /// What went wrong, in words for a person.
    pub message: String,
}

/// Stages of a container's life, as far as the supervisor is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultStage {
    /// Before the interpreter stood by.
    Boot,
    /// The daemon's frames broke the rules.
    Protocol,
    /// Writing the script or handing it over.
    HandOver,
    /// During the run.
    Run,
}

impl RunSpec {
    /// Bytes of the payload that it becomes. Above [`MAX_PAYLOAD`](crate::MAX_PAYLOAD) it cannot be encoded: arguments
    /// and environment come from the caller, so this is to be asked first.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        json(self).len()
    }
}

impl ToSupervisor {
    /// The frame's bytes.
    ///
    /// # Panics
    /// If the payload is above [`MAX_PAYLOAD`](crate::MAX_PAYLOAD); [`RunSpec::encoded_len`] tells before.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Run(spec) => encode(kind::RUN, &json(spec)),
            Self::Source(bytes) => encode(kind::SOURCE, bytes),
            Self::Start => encode(kind::START, &[]),
            Self::Stdin(bytes) => encode(kind::STDIN, bytes),
            Self::StdinEnd => encode(kind::STDIN_END, &[]),
            Self::Terminate => encode(kind::TERMINATE, &[]),
            Self::File(head) => encode(kind::FILE, &json(head)),
            Self::FileData(bytes) => encode(kind::FILE_DATA, bytes),
        }
    }

    /// The next message of the stream, `None` if more bytes are needed.
    ///
    /// # Errors
    /// [`FrameError`] if the stream broke the rules.
    pub fn next(decoder: &mut Decoder) -> Result<Option<Self>, FrameError> {
        let Some((kind, payload)) = decoder.next_frame()? else {
            return Ok(None);
        };
        Ok(Some(match kind {
            kind::RUN => Self::Run(parse(kind, payload)?),
            kind::SOURCE => Self::Source(payload.to_vec()),
            kind::START => Self::Start,
            kind::STDIN => Self::Stdin(payload.to_vec()),
            kind::STDIN_END => Self::StdinEnd,
            kind::TERMINATE => Self::Terminate,
            kind::FILE => Self::File(parse(kind, payload)?),
            kind::FILE_DATA => Self::FileData(payload.to_vec()),
            kind => return Err(FrameError::UnknownType { kind }),
        }))
    }
}

impl ToDaemon {
    /// The frame's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Ready(ready) => encode(kind::READY, &json(ready)),
            Self::Stdout(bytes) => encode(kind::STDOUT, bytes),
            Self::Stderr(bytes) => encode(kind::STDERR, bytes),
            Self::StdoutTail(bytes) => encode(kind::STDOUT_TAIL, bytes),
            Self::StderrTail(bytes) => encode(kind::STDERR_TAIL, bytes),
            Self::StdinCredit(bytes) => encode(kind::STDIN_CREDIT, &bytes.to_le_bytes()),
            Self::End(report) => encode(kind::END, &json(report)),
            Self::Fault(fault) => encode(kind::FAULT, &json(fault)),
            Self::Collecting => encode(kind::COLLECTING, &[]),
            Self::Change(change) => encode(kind::CHANGE, &json(change)),
            Self::Content(bytes) => encode(kind::CONTENT, bytes),
            Self::Trace(events) => encode(kind::TRACE, &json(events)),
        }
    }

    /// The next message of the stream, `None` if more bytes are needed.
    ///
    /// # Errors
    /// [`FrameError`] if the stream broke the rules.
    pub fn next(decoder: &mut Decoder) -> Result<Option<Self>, FrameError> {
        let Some((kind, payload)) = decoder.next_frame()? else {
            return Ok(None);
        };
        Ok(Some(match kind {
            kind::READY => Self::Ready(parse(kind, payload)?),
            kind::STDOUT => Self::Stdout(payload.to_vec()),
            kind::STDERR => Self::Stderr(payload.to_vec()),
            kind::STDOUT_TAIL => Self::StdoutTail(payload.to_vec()),
            kind::STDERR_TAIL => Self::StderrTail(payload.to_vec()),
            kind::STDIN_CREDIT => {
                let Ok(bytes) = payload.try_into() else {
                    let reason = format!("{} bytes instead of 4", payload.len());
                    return Err(FrameError::Payload { kind, reason });
                };
                Self::StdinCredit(u32::from_le_bytes(bytes))
            }
            kind::END => Self::End(parse(kind, payload)?),
            kind::FAULT => Self::Fault(parse(kind, payload)?),
            kind::COLLECTING => Self::Collecting,
            kind::CHANGE => Self::Change(Box::new(parse(kind, payload)?)),
            kind::CONTENT => Self::Content(payload.to_vec()),
            kind::TRACE => Self::Trace(parse(kind, payload)?),
            kind => return Err(FrameError::UnknownType { kind }),
        }))
    }
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    // Cannot fail: the types hold no maps with other keys than strings and no custom serialisers.
    serde_json::to_vec(value).unwrap_or_default()
}

fn parse<T: DeserializeOwned>(kind: u8, payload: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(payload).map_err(|error| FrameError::Payload {
        kind,
        reason: error.to_string(),
    })
}
