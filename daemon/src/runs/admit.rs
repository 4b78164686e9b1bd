//! Before anything runs: is the request sound, what does the code mean to do, what does the policy say.
//! Touches no engine.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonrpsee::types::ErrorObjectOwned;
use saferun_frames::{Account, Budget, MAX_PAYLOAD, PROTOCOL_VERSION, RunSpec, check_path};
use saferun_guard::{on_a_thread, told};
use saferun_policy::{
    AuditRules, Bytes, Decision, DecisionRequest, EffectiveLimits, LimitError, MilliCpus, Policy,
    RequestedLimits, Runtime, Trace,
};
use saferun_protocol::{AppliedLimits, Asked, ClientKind, Code, Finding, RunRequest, StdinMode};
use saferun_scanner::{
    Report,
    extract::{FileReport, crashed, scan_bytes},
};

use super::{
    files::{self, Brought},
    template::writable,
};
use crate::{
    audit::Secrets,
    engine::{Folders, Unheld},
    heavy::Risky,
    image::Needs,
    policy::Resolved,
};

use super::wire;

/// Name of a script that has none.
const SCRIPT: &str = "main.py";
/// A name by which the scanner reads what it is given as Python.
const AS_PYTHON: &str = "script.py";
/// Longest script name, in bytes (`sandbox-image` holds a place of this length).
const MAX_FILE_NAME: usize = 200;
/// What the account that is filled in later adds to the specification at most, in bytes: two budgets of two numbers and
/// two switches.
const ACCOUNT_ROOM: usize = 512;
/// Most of a stream's cap that is kept for its end.
const MAX_TAIL: u64 = 256 * 1024;

/// A sound request with its decision.
pub(super) struct Admitted {
    pub(super) spec: RunSpec,
    pub(super) source: Vec<u8>,
    pub(super) files: Vec<Brought>,
    /// The variables as they are recorded.
    pub(super) recorded_env: Vec<(String, String)>,
    pub(super) given: Option<Vec<u8>>,
    pub(super) limits: EffectiveLimits,
    /// How long it may wait for a place and a container.
    pub(super) queue_wait: Duration,
    pub(super) decision: Decision,
    pub(super) findings: Vec<Finding>,
    pub(super) policy: String,
    pub(super) policy_hash: String,
    pub(super) policy_warnings: Vec<String>,
    /// What of the request the policy does not grant, in sentences.
    pub(super) advice: Vec<String>,
    pub(super) scan_time: Duration,
    pub(super) writable: Folders,
    /// What the machine cannot hold of the limits, and the policy lets go.
    pub(super) unheld: Unheld,
    /// Whether standard output and standard error are handed back.
    pub(super) returns_output: bool,
    /// Whether the files in `/out` were asked for, and the policy hands none back.
    pub(super) withholds_files: bool,
    pub(super) needs: Needs,
    /// For the record, which must not hold them.
    pub(super) secrets: Secrets,
    pub(super) audit: AuditRules,
    pub(super) asked: Asked,
    pub(super) override_reason: Option<String>,
    pub(super) stdin_streamed: bool,
}

/// The runtime that is asked for, if one is.
fn runtime(request: &RunRequest) -> Result<Option<Runtime>, ErrorObjectOwned> {
    match request.runtime.as_deref() {
        None => Ok(None),
        Some("runc") => Ok(Some(Runtime::Runc)),
        Some("runsc") => Ok(Some(Runtime::Runsc)),
        Some(other) => Err(invalid(&format!(
            "no runtime is called `{other}`: use runc or runsc"
        ))),
    }
}

/// Checks a request against a policy; `scans` says where it is scanned.
pub(super) fn admit(
    request: &RunRequest,
    resolved: &Resolved,
    gvisor_available: bool,
    scans: Risky,
) -> Result<Admitted, ErrorObjectOwned> {
    let policy = &resolved.policy;
    let limits = policy
        .effective_limits(&requested(request))
        .map_err(|error| match &error {
            LimitError::BelowMin { min, .. } => Code::InvalidRequest.error(
                error.to_string(),
                format!("ask for {min} or more, or for nothing to get the policy's default"),
            ),
            LimitError::AboveMax { .. } => Code::LimitAboveMaximum.error(
                error.to_string(),
                "ask for less, or choose a policy with a higher maximum (--policy)",
            ),
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
    let script = request.file_name.as_deref().unwrap_or(SCRIPT);
    let files = files::decode(&request.files, script)?;
    let whole = files.iter().map(|file| file.head.size).sum::<u64>() + source.len() as u64;
    let most = policy.limits.source.max.get();
    if !files.is_empty() && whole > most {
        return Err(Code::TooLarge.error(
            format!("the script with its files has {whole} bytes, the policy allows {most} (limits.source.max)"),
            "leave out what the run does not need, or choose a policy that allows more (--policy)",
        ));
    }
    let given = match (request.stdin, &request.stdin_base64) {
        (StdinMode::Given, Some(base64)) => Some(decode(base64, "stdin_base64")?),
        (StdinMode::Given, None) => {
            return Err(invalid("stdin is `given` but stdin_base64 is missing"));
        }
        _ => None,
    };
    let mut spec = specification(request, &limits, source.len())?;
    let mut advice = Vec::new();
    spec.account = account(request, policy, &limits, &mut advice);
    let began = Instant::now();
    let Scanned {
        report,
        findings,
        needs,
        mut secrets,
    } = scan_all(
        &source,
        &files,
        &spec.file_name,
        policy.honour_suppressions,
        scans,
    );
    let mut question = DecisionRequest::default();
    question
        .override_reason
        .clone_from(&request.override_reason);
    question.person_present = request.person_present;
    question.runtime = runtime(request)?;
    question.gvisor_available = gvisor_available;
    // Whoever does not say what it is, and has no person either, is asked for one: that is what is missing. The user's
    // word `override.unattended` is for just these; a program that says what it is has to stand in `override.who`.
    question.client = match request.client {
        ClientKind::Other if !request.person_present => saferun_policy::ClientKind::Terminal,
        kind => client(kind),
    };
    let decision = policy.decide(&report, &question);
    secrets.look_at(&request.args, &request.env);
    let recorded_env = recorded_env(request, &mut secrets);
    Ok(Admitted {
        spec,
        source,
        files,
        recorded_env,
        advice,
        given,
        limits,
        decision,
        findings,
        policy: policy.name.clone(),
        policy_hash: resolved.hash.clone(),
        policy_warnings: resolved.warnings.clone(),
        scan_time: began.elapsed(),
        writable: writable(policy),
        queue_wait: policy.limits.queue_wait,
        unheld: Unheld::default(),
        returns_output: policy.returns.output,
        withholds_files: request.artifacts && !policy.returns.artifacts,
        needs,
        secrets,
        audit: policy.audit,
        asked: Asked::of(request),
        override_reason: request.override_reason.clone(),
        stdin_streamed: request.stdin == StdinMode::Stream,
    })
}

/// What is told of the run besides its output: what the request or the policy asks for, as far as the policy grants it.
fn account(
    request: &RunRequest,
    policy: &Policy,
    limits: &EffectiveLimits,
    advice: &mut Vec<String>,
) -> Account {
    let bytes = limits.artifacts.get();
    let grant = |granted: bool, entries: u32| granted.then_some(Budget { bytes, entries });
    let effects = request.effects || policy.effects;
    if effects && !policy.returns.diff {
        advice.push("The policy does not tell what changed (returns.diff: false)".to_owned());
    }
    let trace = request.trace || policy.trace != Trace::Off;
    let changes = u32::try_from(saferun_frames::MAX_CHANGES).unwrap_or(u32::MAX);
    Account {
        changes: grant(effects && policy.returns.diff, changes),
        artifacts: grant(
            request.artifacts && policy.returns.artifacts,
            limits.artifact_count,
        ),
        trace,
        // gVisor shows nothing but these.
        lines: trace && (request.trace || policy.trace == Trace::Full),
    }
}

/// The variables without the values of those that are called secrets.
fn recorded_env(request: &RunRequest, secrets: &mut Secrets) -> Vec<(String, String)> {
    let variables = request.env.iter().map(|(name, value)| {
        if request.secret_env.contains(name) {
            secrets.keep_out(value);
            return (name.clone(), "[redacted]".to_owned());
        }
        (name.clone(), value.clone())
    });
    variables.collect()
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What the code means to do, all of it as one.
struct Scanned {
    report: Report,
    findings: Vec<Finding>,
    needs: Needs,
    secrets: Secrets,
}

/// Scans the script and the Python among its files as the interpreter will read them: as Python, whatever the files are
/// called. Code on which the scanner crashes counts as HIGH and as not understood, and costs other runs nothing.
fn scan_all(
    source: &[u8],
    files: &[Brought],
    script: &str,
    honour_suppressions: bool,
    scans: Risky,
) -> Scanned {
    let options = saferun_scanner::Options {
        honour_suppressions,
        ..saferun_scanner::Options::default()
    };
    match scans {
        Risky::Here(report) => told(report, || {
            let scan = |bytes: &[u8]| scan_bytes(AS_PYTHON, bytes, &options).report;
            scan_each(source, files, script, scan)
        }),
        Risky::Apart => scan_each(source, files, script, |bytes| {
            let (bytes, options) = (bytes.to_vec(), options.clone());
            judged(move || scan_bytes(AS_PYTHON, &bytes, &options))
        }),
    }
}

fn scan_each(
    source: &[u8],
    files: &[Brought],
    script: &str,
    scan: impl Fn(&[u8]) -> Report,
) -> Scanned {
    let mut report = scan(source);
    let mut secrets = Secrets::of_source(source, &report);
    let mut needs = Needs::of(source, &report, base_name(script));
    let mut findings: Vec<Finding> = report.findings.iter().map(wire::finding).collect();
    for file in files {
        let Some(other) = file.scan(&scan) else {
            continue;
        };
        secrets.add_source(&file.bytes, &other);
        needs.add(Needs::of(&file.bytes, &other, base_name(&file.head.path)));
        findings.extend(other.findings.iter().map(|found| {
            let mut finding = wire::finding(found);
            finding.file = Some(file.head.path.clone());
            finding
        }));
        // The decision's reasons are these messages, and it is not the script that they are about.
        report
            .findings
            .extend(other.findings.into_iter().map(|mut found| {
                found.message = format!("in {}: {}", file.head.path, found.message);
                found
            }));
        report.usages.extend(other.usages);
        report.incomplete |= other.incomplete;
    }
    for module in files::local_modules(files, script) {
        needs.bring(module);
    }
    Scanned {
        report,
        findings,
        needs,
        secrets,
    }
}

fn judged(scan: impl FnOnce() -> FileReport + Send + 'static) -> Report {
    on_a_thread(scan)
        .unwrap_or_else(|message| {
            tracing::error!(message, "the scanner crashed on a script");
            crashed(SCRIPT, &message)
        })
        .report
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
        source: asked.source_bytes.map(Bytes),
        artifacts: asked.artifacts_bytes.map(Bytes),
        artifact_count: asked.artifact_count,
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
        .unwrap_or_else(|| SCRIPT.to_owned());
    if file_name.len() > MAX_FILE_NAME || check_path(&file_name).is_err() {
        return Err(invalid(&format!(
            "file_name must be a path below the workspace of 1 to {MAX_FILE_NAME} bytes, relative and without `.` and `..`"
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
        account: Account::default(),
    };
    // What the run is to tell of itself is filled in later.
    if spec.encoded_len() + ACCOUNT_ROOM > MAX_PAYLOAD {
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

#[cfg(test)]
mod tests {
    use saferun_policy::{DecisionRequest, Verdict};
    use saferun_scanner::Level;

    use super::*;

    #[test]
    fn code_on_which_the_scanner_crashes_is_high_and_counts_as_not_understood() {
        let report = judged(|| panic!("a bug"));
        assert_eq!(report.risk(), Level::High);
        assert!(report.incomplete);
        assert!(report.findings[0].message.contains("a bug"));
        // A preset that refuses imports cannot know that there are none.
        let preset = saferun_policy::preset("safe-executor").expect("a preset");
        let decision = preset.decide(&report, &DecisionRequest::default());
        assert_eq!(decision.verdict, Verdict::Refuse);
        let sound = scan_all(b"x = 1\n", &[], SCRIPT, false, Risky::Apart);
        assert!(sound.findings.is_empty());
    }

    #[test]
    fn arguments_that_do_not_fit_into_a_frame_are_refused_and_those_that_just_do_are_encoded() {
        let policy = saferun_policy::preset("default").expect("a preset");
        let limits = policy
            .effective_limits(&RequestedLimits::default())
            .expect("limits");
        let with = |bytes: usize| {
            let mut request = RunRequest::new("pass");
            request.args = vec!["a".repeat(bytes)];
            specification(&request, &limits, 4)
        };
        let error = with(MAX_PAYLOAD).expect_err("too large");
        assert_eq!(error.code(), Code::TooLarge.number());
        // The token is chance, and has 19 digits or 20.
        let mut longest = with(0).expect("fits");
        longest.token = u64::MAX;
        let room = MAX_PAYLOAD - ACCOUNT_ROOM - longest.encoded_len();
        assert!(with(room + 2).is_err());
        let mut spec = with(room).expect("just fits");
        let all = Some(Budget {
            bytes: u64::MAX,
            entries: u32::MAX,
        });
        spec.account = Account {
            changes: all,
            artifacts: all,
            trace: true,
            lines: true,
        };
        assert!(spec.encoded_len() <= MAX_PAYLOAD);
        assert!(!saferun_frames::ToSupervisor::Run(spec).encode().is_empty());
    }

    #[test]
    fn a_reason_names_the_file_that_came_with_the_script() {
        let file = saferun_protocol::InputFile {
            path: "pkg/plant.py".to_owned(),
            base64: STANDARD.encode("open('.git/hooks/pre-commit', 'w')\n"),
            executable: false,
        };
        let files = files::decode(&[file], SCRIPT).expect("a sound file");
        let scanned = scan_all(b"print(1)\n", &files, SCRIPT, false, Risky::Apart);
        let here = Risky::Here(Box::new(|message| panic!("{message}")));
        let alike = scan_all(b"print(1)\n", &files, SCRIPT, false, here);
        assert_eq!(scanned.findings, alike.findings);
        let [found] = &scanned.findings[..] else {
            panic!("{:?}", scanned.findings)
        };
        assert_eq!(found.file.as_deref(), Some("pkg/plant.py"));
        let preset = saferun_policy::preset("default").expect("a preset");
        let decision = preset.decide(&scanned.report, &DecisionRequest::default());
        let reasons = format!("{decision:?}");
        assert!(reasons.contains("in pkg/plant.py: "), "{reasons}");
        assert!(!found.message.contains("in pkg"), "{}", found.message);
    }
}
