//! From a run to its two events: what is kept by the policy's word, with the secrets taken out.

use saferun_policy::{AuditRules, SourceRecord};
use saferun_protocol::{Asked, ClientKind, OutcomeEvidence, RunResult};

use super::{
    Audit, AuditError, NewEvent, Promise, Secrets, chain,
    entry::{Call, EndHead, StartHead, excerpt},
    order::{self, Piece},
    room,
};
use crate::{
    heavy::in_place,
    steps::{Step, reached},
};

/// What one finding takes as text, in bytes.
const FINDING: usize = 500;

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// What is known of a run when it is accepted or refused.
pub(crate) struct Facts<'run> {
    pub(crate) uid: u32,
    pub(crate) client: ClientKind,
    pub(crate) file_name: &'run str,
    pub(crate) source: &'run [u8],
    pub(crate) args: &'run [String],
    pub(crate) env: &'run [(String, String)],
    pub(crate) stdin: Option<&'run [u8]>,
    pub(crate) stdin_streamed: bool,
    /// Path and SHA-256 of each file that came along.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) verdict: &'run str,
    pub(crate) decision: Vec<String>,
    pub(crate) override_reason: Option<&'run str>,
    pub(crate) asked: &'run Asked,
    pub(crate) output_withheld: bool,
    /// Most bytes that the run hands on of each stream; 0: nothing will run.
    pub(crate) output_cap: u64,
    pub(crate) image: &'run str,
    /// With the findings; nothing has run yet.
    pub(crate) result: &'run RunResult,
}

/// The evidence as it stays in the head: what the sandbox said of itself, which may be long, stands in the body.
fn figures(evidence: &OutcomeEvidence, secrets: &Secrets) -> OutcomeEvidence {
    let mut kept = evidence.clone();
    kept.container_said = None;
    kept.lost = kept.lost.map(|lost| excerpt(&secrets.clean_text(&lost)));
    kept
}

/// A run whose start is being recorded, and whose end will be.
pub(crate) struct Recorded {
    audit: Audit,
    run: String,
    uid: u32,
    secrets: Secrets,
    rules: AuditRules,
    output_withheld: bool,
    /// Room for the end; `None`: the start is not recorded.
    started: Option<Promise>,
}

impl Recorded {
    /// Records the start. The error says why it is not recorded; the run may go on by its policy's word only.
    pub(crate) async fn start(
        audit: Audit,
        rules: AuditRules,
        mut secrets: Secrets,
        facts: Facts<'_>,
    ) -> (Self, Result<(), AuditError>) {
        let (run, uid) = (facts.result.id.clone(), facts.uid);
        let output_withheld = facts.output_withheld;
        if rules.source == SourceRecord::Full {
            secrets = Secrets::default();
        }
        let end_room = room::of_end(if rules.output { facts.output_cap } else { 0 });
        let event = in_place(weight(&facts), || started(rules, &secrets, facts))
            .durable(rules.survives_power_loss)
            .with_end_room(end_room);
        let (started, result) = match audit.append(event).await {
            Ok(promise) => (Some(promise), Ok(())),
            Err(error) => (None, Err(error)),
        };
        reached(Step::StartRecorded);
        let recorded = Self {
            audit,
            run,
            uid,
            secrets,
            rules,
            output_withheld,
            started,
        };
        (recorded, result)
    }

    /// Records the end, with the output where the policy keeps it. Each stream comes with the place of its gap; `order`
    /// says how the two were mixed.
    pub(crate) async fn end(
        self,
        result: &RunResult,
        streams: [(Vec<u8>, Option<u64>); 2],
        order: &[Piece],
    ) -> Result<(), AuditError> {
        if self.started.is_none() {
            // Without its start an end would be a run from nowhere; the caller has been told already.
            return Ok(());
        }
        let bytes = streams.iter().map(|(bytes, _)| bytes.len()).sum::<usize>()
            + result.findings.len() * FINDING;
        let event = in_place(bytes, || self.ended(result, streams, order));
        reached(Step::RunEnded);
        let event = event.durable(self.rules.survives_power_loss);
        let result = self.audit.append(event).await;
        reached(Step::EndRecorded);
        result.map(drop)
    }

    /// The event of the end: all of the output is looked through for secrets.
    fn ended(
        &self,
        result: &RunResult,
        streams: [(Vec<u8>, Option<u64>); 2],
        order: &[Piece],
    ) -> NewEvent {
        let [stdout, stderr] = streams;
        let head = EndHead {
            outcome: result.status,
            exit_code: result.exit_code,
            signal: result.signal,
            wall_ms: result.usage.wall_ms,
            message: excerpt(&self.secrets.clean_text(&result.message)),
            evidence: result
                .evidence
                .as_ref()
                .map(|evidence| figures(evidence, &self.secrets)),
            gaps: [stdout.1, stderr.1],
            output_kept: self.rules.output,
            output_withheld: self.output_withheld,
            bodies: std::collections::BTreeMap::default(),
        };
        let mut bodies = vec![("result", self.secrets.clean_json(result))];
        if self.rules.output {
            let mixed = !stdout.0.is_empty() && !stderr.0.is_empty();
            let mut redacted = 0;
            for (name, bytes) in [("stdout", stdout.0), ("stderr", stderr.0)] {
                if !bytes.is_empty() {
                    let (clean, count) = self.secrets.clean(bytes);
                    redacted += count;
                    bodies.push((name, clean));
                }
            }
            // Of one stream the order is plain; with secrets taken out, it is what tells that places have moved.
            if mixed || redacted > 0 {
                bodies.push(("order", order::pack(order)));
            }
        }
        head.event(self.run.clone(), self.uid, now_ms(), bodies)
    }
}

/// How many bytes go into the event of a start, about.
fn weight(facts: &Facts<'_>) -> usize {
    facts.source.len() + facts.stdin.map_or(0, <[u8]>::len) + facts.result.findings.len() * FINDING
}

/// The event of a start: source, input and findings are looked through for secrets, and the source is hashed.
fn started(rules: AuditRules, secrets: &Secrets, facts: Facts<'_>) -> NewEvent {
    let clean = |text: &str| secrets.clean_text(text);
    let (source, redactions) = secrets.clean(facts.source.to_vec());
    let keeps_source = rules.source != SourceRecord::Hash;
    let call = Call {
        args: facts.args.iter().map(|arg| clean(arg)).collect(),
        env: facts
            .env
            .iter()
            .map(|(name, value)| (name.clone(), clean(value)))
            .collect(),
        stdin_streamed: facts.stdin_streamed,
        files: facts.files,
        decision: facts.decision,
        asked: Some(facts.asked.clone()),
    };
    let head = StartHead {
        client: facts.client,
        file_name: clean(facts.file_name),
        code_sha256: chain::hex(&chain::digest(facts.source)),
        risk: facts.result.risk,
        rules: facts
            .result
            .findings
            .iter()
            .take(50)
            .map(|finding| format!("{} {}", finding.rule, finding.name))
            .collect(),
        policy: facts.result.policy.clone(),
        policy_hash: facts.result.policy_hash.clone(),
        verdict: facts.verdict.to_owned(),
        overridden: facts.result.overridden,
        override_reason: facts.override_reason.map(|reason| excerpt(&clean(reason))),
        image: facts.image.to_owned(),
        args: excerpt(&call.args.join(" ")),
        source_exact: keeps_source && redactions == 0,
        redactions,
        bodies: std::collections::BTreeMap::default(),
    };
    let mut bodies = vec![
        ("call", secrets.clean_json(&call)),
        ("before", secrets.clean_json(facts.result)),
    ];
    if keeps_source {
        bodies.push(("source", source));
    }
    if let Some(stdin) = facts.stdin
        && keeps_source
    {
        bodies.push(("stdin", secrets.clean(stdin.to_vec()).0));
    }
    let run = facts.result.id.clone();
    head.event(run, facts.uid, now_ms(), bodies)
}
