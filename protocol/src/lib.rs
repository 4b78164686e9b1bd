//! The API of the SafeRun daemon: one RPC trait, its types, its error codes, where its socket is,
//! and how to connect. Knows no engine, no scanner, no policy; does no I/O but connecting.

mod api;
mod audit;
#[cfg(feature = "client")]
mod connect;
mod effects;
mod error;
mod event;
mod evidence;
mod finding;
mod image;
mod limits;
mod policy;
mod request;
mod result;
mod socket;
mod status;
mod story;
mod timing;
mod watch;

pub use api::*;
pub use audit::{
    Anchor, Asked, Cleanup, DroppedBodies, HistoryItem, HistoryPage, HistoryQuery, Integrity,
    MAX_ANCHORS, MAX_HISTORY_PAGE, RecordHead, RunRecord, Sealed, VerifyReport,
};
#[cfg(feature = "client")]
pub use connect::{Client, ConnectError, connect};
pub use effects::{
    Artifact, Change, ChangeKind, Effects, EntryState, EntryType, InputFile, LeftBehind,
    MAX_INPUT_FILES, Place, Trace,
};
pub use error::{Advice, Code};
pub use event::{Event, OutputChunk, Stream};
pub use evidence::{EvidenceWitness, OutcomeEvidence, StoppedBy, StreamBytes};
pub use finding::{Evidence, Finding, Observation, Position, Range, Risk};
pub use image::{ImageEvent, ImageInfo, ImagePrune, KeptImage};
pub use limits::{AppliedLimits, RequestedLimits};
pub use policy::{
    MAX_POLICY_SETTINGS, MAX_POLICY_TEXTS, PolicyLayers, PolicySetting, PolicyStatus, PolicyText,
};
pub use request::{ClientKind, MAX_REQUEST_BYTES, RunRequest, StdinMode};
pub use result::{AttestationField, LimitHit, Outcome, RunResult, SandboxInfo, Usage, Witness};
pub use saferun_frames::{EventKind, PathError, Seen, TraceEvent, TraceVerdict, check_path};
pub use socket::{SocketPathError, socket_path, verify_socket};
pub use status::{DaemonInfo, EngineStatus, PoolStatus, RunInfo, Status};
pub use story::{StoryLine, StoryPart, TraceParts, got_nothing};
pub use timing::{Stage, Timing};
pub use watch::{
    Generated, HostPath, MAX_ANNOUNCED, MAX_WATCH_ROOTS, RootState, WatchEvent, WatchRequest,
    WatchRoot, WatchRun, WatchedFile,
};
