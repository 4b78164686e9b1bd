//! A record with something in each field, and events of a trace, for the tests.

use saferun_protocol::{
    Artifact, Asked, AttestationField, Change, ChangeKind, Cleanup, ClientKind, Effects,
    EntryState, EntryType, EventKind, Evidence, EvidenceWitness, Finding, LeftBehind, LimitHit,
    Outcome, OutcomeEvidence, Place, Position, Range, Risk, RunRecord, RunRequest, RunResult, Seen,
    StoppedBy, StreamBytes, Timing, TraceEvent, TraceVerdict, Witness,
};

/// With each figure there is.
fn evidence() -> OutcomeEvidence {
    let mut stream = StreamBytes::default();
    (stream.written, stream.dropped) = (30, 9);
    let mut evidence = OutcomeEvidence::default();
    evidence.witness = EvidenceWitness::Supervisor;
    evidence.exit_code = Some(1);
    evidence.signal = Some(9);
    evidence.stopped_by = Some(StoppedBy::TimeLimit);
    evidence.cpu_us = Some(3_000);
    evidence.cpu_throttled_us = Some(1_000);
    evidence.memory_peak_bytes = Some(9 << 20);
    evidence.oom_kills = Some(2);
    evidence.pids_denied = Some(0);
    evidence.full_folders = vec!["/tmp".to_owned()];
    evidence.processes_left = Some(1);
    evidence.stdout = Some(stream);
    evidence.stderr = Some(StreamBytes::default());
    evidence.lost = Some("its stream \u{1b}ended".to_owned());
    evidence.container_exit_status = Some(137);
    evidence.container_said = Some("words".to_owned());
    evidence
}

fn timing() -> Timing {
    let mut timing = Timing::default();
    (timing.scan_ms, timing.queued_ms) = (1.5, 20.0);
    (timing.start_ms, timing.run_ms) = (0.5, 12.5);
    timing
}

/// Something that the kernel saw once, at a line of `main.py`.
pub(crate) fn event(kind: EventKind, what: &str, verdict: TraceVerdict, line: u32) -> TraceEvent {
    TraceEvent {
        at_us: 1,
        kind,
        call: "c".to_owned(),
        what: what.to_owned(),
        verdict,
        pid: 2,
        count: 1,
        file: Some("main.py".to_owned()),
        line: Some(line),
        seen: Seen::Kernel,
    }
}

fn left_behind() -> LeftBehind {
    let mut left = LeftBehind::default();
    left.add("b\u{202e}.txt", 7);
    left
}

pub(super) fn record() -> RunRecord {
    let range = |line, from, to| Range {
        start: Position { line, column: from },
        end: Position { line, column: to },
    };
    let mut finding = Finding::new(
        "SR101".to_owned(),
        "shell-command".to_owned(),
        Risk::High,
        "runs the shell command `rm -rf /\u{202e}`".to_owned(),
        range(2, 1, 22),
    );
    finding.cwe = Some(78);
    finding.evidence = vec![Evidence {
        message: "the command is put together here".to_owned(),
        range: range(2, 11, 21),
    }];
    let mut result = RunResult::new(
        "0193a5c4-7b2f-7aaa-8000-000000000001".to_owned(),
        Outcome::Completed,
        "the program ended".to_owned(),
    );
    result.exit_code = Some(1);
    result.stdout = "<b>bold</b>\n\u{1b}[2Jcleared\n".to_owned();
    result.stderr = "Traceback\n".to_owned();
    result.stderr_base64 = Some("/w==".to_owned());
    result.dropped_bytes = 9;
    result.stdout_truncated = true;
    result.limits_hit = vec![LimitHit::Output];
    result.evidence = Some(evidence());
    result.timing = timing();
    result.risk = Risk::High;
    result.findings = vec![finding];
    result.policy = "default".to_owned();
    result.policy_hash = "cd".repeat(32);
    result.policy_warnings = vec!["warning".to_owned()];
    result.advice = vec!["advice".to_owned()];
    result.overridden = true;
    result.unrecorded = Some("disk full".to_owned());
    result.limits.time_ms = 10_000;
    result.limits.memory_bytes = 256 << 20;
    result.limits.not_enforced = vec!["pids".to_owned()];
    result.usage.wall_ms = 12.5;
    result.usage.cpu_ms = Some(3.0);
    result.usage.peak_memory_bytes = Some(9 << 20);
    let sandbox = &mut result.sandbox;
    "docker 20.10.24".clone_into(&mut sandbox.engine);
    "runc".clone_into(&mut sandbox.runtime);
    "sha256:ef".clone_into(&mut sandbox.image);
    "python".clone_into(&mut sandbox.variant);
    "c0".clone_into(&mut sandbox.container);
    sandbox.warm = true;
    sandbox.attestation = vec![AttestationField {
        name: "no_new_privs".to_owned(),
        value: "1".to_owned(),
        witness: Witness::Inside,
    }];
    let path = "a\u{202e}.txt".to_owned();
    let mut change = Change::new(Place::Workspace, path.clone(), ChangeKind::Created);
    let mut state = EntryState::new(EntryType::File, 0o644, 5);
    state.sha256 = Some("aa".repeat(32));
    change.after = Some(state);
    let mut effects = Effects::default();
    effects.changes = vec![change];
    effects.notes = vec!["a note".to_owned()];
    result.effects = Some(effects);
    let mut artifact = Artifact::new(path, 5);
    artifact.sha256 = Some("aa".repeat(32));
    result.artifacts = vec![artifact];
    result.artifacts_left_behind = Some(left_behind());
    let mut request = RunRequest::new("");
    request.policy = Some("default".to_owned());
    RunRecord {
        format: 1,
        started_ms: 1_764_180_000_000,
        ended_ms: Some(1_764_180_000_300),
        uid: 1000,
        client: ClientKind::Terminal,
        file_name: "<img src=x>.py".to_owned(),
        code_sha256: "ab".repeat(32),
        source: Some("import os\nos.system('rm -rf /\u{202e}')\n".to_owned()),
        source_exact: false,
        redactions: 1,
        args: vec!["--all".to_owned()],
        env: vec![("K".to_owned(), "v".to_owned())],
        stdin_base64: Some("MQ==".to_owned()),
        stdin_streamed: false,
        files: vec![("data.csv".to_owned(), "ee".repeat(32))],
        asked: Some(Asked::of(&request)),
        override_reason: Some("read it".to_owned()),
        decision: vec!["levels.HIGH: asks for a reason".to_owned()],
        output_kept: true,
        output_withheld: false,
        result: Some(result),
        dropped_bodies: vec!["stdin".to_owned()],
        seq: 7,
        start_hash: "01".repeat(32),
        end_hash: Some("02".repeat(32)),
        cleanup: Some(Cleanup::Verified),
    }
}
