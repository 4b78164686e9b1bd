//! Before anything runs: is the request sound, what does the code mean to do, what does the policy say.
//! Touches no engine.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonrpsee::types::ErrorObjectOwned;
use saferun_frames::{MAX_PAYLOAD, PROTOCOL_VERSION, RunSpec};
use saferun_policy::{
    AuditRules, Bytes, Decision, DecisionRequest, EffectiveLimits, MilliCpus, RequestedLimits,
    Runtime,
};
use saferun_protocol::{AppliedLimits, ClientKind, Code, Finding, RunRequest, StdinMode};

use super::template::writable;
use crate::{
    audit::Secrets,
    engine::{Folders, Unheld},
    image::Needs,
    policy::Resolved,
};

use super::wire;

/// Longest script name, in bytes (`sandbox-image` holds a place of this length).
const MAX_FILE_NAME: usize = 200;
/// Most of a stream's cap that is kept for its end.
const MAX_TAIL: u64 = 256 * 1024;

/// A sound request with its decision.
pub(super) struct Admitted {
    pub(super) spec: RunSpec,
    pub(super) source: Vec<u8>,
    pub(super) given: Option<Vec<u8>>,
    pub(super) limits: EffectiveLimits,
    pub(super) decision: Decision,
    pub(super) findings: Vec<Finding>,
    pub(super) policy: String,
    pub(super) policy_hash: String,
    pub(super) policy_warnings: Vec<String>,
    pub(super) scan_time: Duration,
    pub(super) writable: Folders,
    /// What the machine cannot hold of the limits, and the policy lets go.
    pub(super) unheld: Unheld,
    /// Whether standard output and standard error are handed back.
    pub(super) returns_output: bool,
    pub(super) needs: Needs,
    /// For the record, which must not hold them.
    pub(super) secrets: Secrets,
    pub(super) audit: AuditRules,
    pub(super) override_reason: Option<String>,
    pub(super) stdin_streamed: bool,
}

/// Checks a request against a policy.
pub(super) fn admit(
    request: &RunRequest,
    resolved: &Resolved,
    gvisor_available: bool,
) -> Result<Admitted, ErrorObjectOwned> {
    let policy = &resolved.policy;
    let limits = policy
        .effective_limits(&requested(request))
        .map_err(|error| {
            Code::LimitAboveMaximum.error(
                error.to_string(),
                "ask for less, or choose a policy with a higher maximum (--policy)",
            )
        })?;
    let source = source_bytes(request)?;
    if source.len() as u64 > limits.source.get() {
        return Err(Code::TooLarge.error(
            format!(
                "the script has {} bytes, the policy allows {}",
                source.len(),
                limits.source.get()
            ),
            "split it, or choose a policy that allows more (--policy)",
        ));
    }
    let given = match (request.stdin, &request.stdin_base64) {
        (StdinMode::Given, Some(base64)) => Some(decode(base64, "stdin_base64")?),
        (StdinMode::Given, None) => {
            return Err(invalid("stdin is `given` but stdin_base64 is missing"));
        }
        _ => None,
    };
    let spec = specification(request, &limits, source.len())?;
    let began = Instant::now();
    let report = scan(&source, policy.honour_suppressions);
    let runtime = match request.runtime.as_deref() {
        None => None,
        Some("runc") => Some(Runtime::Runc),
        Some("runsc") => Some(Runtime::Runsc),
        Some(other) => {
            return Err(invalid(&format!(
                "no runtime is called `{other}`: use runc or runsc"
            )));
        }
    };
    let mut question = DecisionRequest::default();
    question
        .override_reason
        .clone_from(&request.override_reason);
    question.person_present = request.person_present;
    question.runtime = runtime;
    question.gvisor_available = gvisor_available;
    // Whoever does not say what it is, and has no person either, is asked for one: that is what is missing. The user's
    // word `override.unattended` is for just these; a program that says what it is has to stand in `override.who`.
    question.client = match request.client {
        ClientKind::Other if !request.person_present => saferun_policy::ClientKind::Terminal,
        kind => client(kind),
    };
    let decision = policy.decide(&report, &question);
    let needs = Needs::of(&source, &report, &spec.file_name);
    let mut secrets = Secrets::of_source(&source, &report);
    secrets.look_at(&request.args, &request.env);
    Ok(Admitted {
        spec,
        source,
        given,
        limits,
        decision,
        findings: report.findings.iter().map(wire::finding).collect(),
        policy: policy.name.clone(),
        policy_hash: resolved.hash.clone(),
        policy_warnings: resolved.warnings.clone(),
        scan_time: began.elapsed(),
        writable: writable(policy),
        unheld: Unheld::default(),
        returns_output: policy.returns.output,
        needs,
        secrets,
        audit: policy.audit,
        override_reason: request.override_reason.clone(),
        stdin_streamed: request.stdin == StdinMode::Stream,
    })
}

/// Scans the bytes as the interpreter will read them: as Python, whatever the file is called.
fn scan(source: &[u8], honour_suppressions: bool) -> saferun_scanner::Report {
    let options = saferun_scanner::Options {
        honour_suppressions,
        ..saferun_scanner::Options::default()
    };
    saferun_scanner::extract::scan_bytes("script.py", source, &options).report
}

fn invalid(message: &str) -> ErrorObjectOwned {
    Code::InvalidRequest.error(
        message,
        "see `saferunctl run --help`, or docs/rpc.md for the fields",
    )
}

fn decode(base64: &str, field: &str) -> Result<Vec<u8>, ErrorObjectOwned> {
    STANDARD
        .decode(base64)
        .map_err(|error| invalid(&format!("{field} is not base64: {error}")))
}

fn source_bytes(request: &RunRequest) -> Result<Vec<u8>, ErrorObjectOwned> {
    match &request.source_base64 {
        Some(_) if !request.source.is_empty() => {
            Err(invalid("both source and source_base64 are given: give one"))
        }
        Some(base64) => decode(base64, "source_base64"),
        None => Ok(request.source.clone().into_bytes()),
    }
}

fn requested(request: &RunRequest) -> RequestedLimits {
    let asked = &request.limits;
    RequestedLimits {
        time: asked.time_ms.map(Duration::from_millis),
        memory: asked.memory_bytes.map(Bytes),
        // More than a u32 holds is above any maximum: it saturates and is refused by its name.
        cpus: asked
            .cpu_millis
            .map(|cpu| MilliCpus(u32::try_from(cpu).unwrap_or(u32::MAX))),
        pids: asked.pids,
        output: asked.output_bytes.map(Bytes),
        open_files: asked.open_files,
        tmpfs: asked.tmpfs_bytes.map(Bytes),
        ..RequestedLimits::default()
    }
}

fn specification(
    request: &RunRequest,
    limits: &EffectiveLimits,
    source_len: usize,
) -> Result<RunSpec, ErrorObjectOwned> {
    let file_name = request
        .file_name
        .clone()
        .unwrap_or_else(|| "main.py".to_owned());
    let sound = !file_name.is_empty()
        && file_name.len() <= MAX_FILE_NAME
        && !file_name.contains(['/', '\0'])
        && file_name != "."
        && file_name != "..";
    if !sound {
        return Err(invalid(&format!(
            "file_name must be a base name of 1 to {MAX_FILE_NAME} bytes without `/`"
        )));
    }
    if request.args.iter().any(|arg| arg.contains('\0')) {
        return Err(invalid(
            "an argument contains a NUL character, which no program can receive",
        ));
    }
    for (name, value) in &request.env {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(invalid(&format!(
                "the environment variable {name:?} has an empty or impossible name or value"
            )));
        }
    }
    let output = limits.output.get();
    let tail = (output / 4).min(MAX_TAIL);
    let time = u64::try_from(limits.time.as_millis()).unwrap_or(u64::MAX);
    let spec = RunSpec {
        protocol: PROTOCOL_VERSION,
        // The second half of a version 7 UUID: 62 random bits.
        token: uuid::Uuid::now_v7().as_u64_pair().1,
        file_name,
        args: request.args.clone(),
        env: request.env.clone(),
        source_len: source_len as u64,
        stdin: request.stdin != StdinMode::Empty,
        // The supervisor's timer only backs the daemon's, so it comes later.
        time_limit_ms: time.saturating_add(2_000),
        output_head: output - tail,
        output_tail: tail,
    };
    if saferun_frames::ToSupervisor::Run(spec.clone())
        .encode()
        .len()
        > MAX_PAYLOAD
    {
        return Err(Code::TooLarge.error(
            "the arguments and the environment are too large together",
            "pass large data through standard input instead",
        ));
    }
    Ok(spec)
}

/// The kind of client as the policy knows it; whoever does not say is taken for a program.
pub(super) fn client(kind: ClientKind) -> saferun_policy::ClientKind {
    match kind {
        ClientKind::Terminal => saferun_policy::ClientKind::Terminal,
        ClientKind::Editor => saferun_policy::ClientKind::Editor,
        ClientKind::Watch => saferun_policy::ClientKind::Watch,
        _ => saferun_policy::ClientKind::Agent,
    }
}

/// The limits on the wire.
pub(super) fn applied(limits: &EffectiveLimits) -> AppliedLimits {
    let mut applied = AppliedLimits::default();
    applied.time_ms = u64::try_from(limits.time.as_millis()).unwrap_or(u64::MAX);
    applied.memory_bytes = limits.memory.get();
    applied.cpu_millis = u64::from(limits.cpus.get());
    applied.pids = limits.pids;
    applied.tmpfs_bytes = limits.tmpfs.get();
    applied.open_files = limits.open_files;
    applied.output_bytes = limits.output.get();
    applied
}
