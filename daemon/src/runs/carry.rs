//! Carries an admitted run out in the container that it got, and writes down what became of it.

use std::{sync::Arc, time::Duration};

use saferun_protocol::{LeftBehind, Outcome, RunResult};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    admit::Admitted,
    evidence,
    execute::{Executed, Execution},
    foretold,
    listener::Listener,
    registry::StdinPiece,
    stages::Stages,
    transcript::Transcript,
    verdict::{Ending, judge},
};
use crate::{
    engine::is_gvisor,
    pool::Lease,
    steps::{Step, reached},
};

/// Why nothing is known of `/out` where the policy has nobody look.
const WITHHELD: &str =
    "nothing comes back of /out: the policy hands back no files (returns.artifacts: false)";

/// Everything of a run but its container.
pub(super) struct Wanted {
    pub(super) admitted: Admitted,
    pub(super) stdin_pieces: mpsc::Receiver<StdinPiece>,
    pub(super) cancel: CancellationToken,
    pub(super) listener: Listener,
    pub(super) detach: bool,
    pub(super) transcript: Arc<Transcript>,
}

impl Wanted {
    /// Gives the end of standard error.
    pub(super) async fn execute(
        self,
        mut lease: Lease,
        result: &mut RunResult,
        stages: &mut Stages,
    ) -> Vec<u8> {
        let Admitted {
            spec,
            source,
            files,
            given,
            limits,
            decision,
            returns_output,
            withholds_files,
            ..
        } = self.admitted;
        reached(Step::ContainerLeased);
        result.sandbox.warm = lease.hit;
        let Some(container) = lease.container() else {
            result.status = Outcome::SetupFailed;
            return Vec::new();
        };
        decision
            .runtime
            .as_str()
            .clone_into(&mut result.sandbox.runtime);
        container
            .instance
            .id()
            .clone_into(&mut result.sandbox.container);
        let lent = container.lend_to(&result.id).await;
        result
            .sandbox
            .attestation
            .clone_from(&container.attestation);
        let script = spec.file_name.clone();
        let asked_for_out = spec.account.artifacts.is_some();
        let execution = Execution {
            container,
            spec,
            source,
            files,
            stdin: self.stdin_pieces,
            given,
            cancel: self.cancel,
            time_limit: limits.time,
            listener: self.listener,
            detach: self.detach,
            returns_output,
            transcript: self.transcript,
        };
        let executed = execution.run().await;
        tell_stages(&executed, stages);
        drop(lease);
        if let Err(error) = lent.written().await {
            tracing::error!(run = result.id, %error, "the run will have no receipt of its cleaning up");
        }
        result.effects = executed.gathered.effects;
        result.artifacts = executed.gathered.artifacts;
        let withheld = withholds_files.then(|| LeftBehind::unknown(WITHHELD));
        result.artifacts_left_behind = withheld.or(executed.gathered.left_behind);
        result.trace = executed.gathered.trace;
        if let Some(trace) = &mut result.trace {
            foretold::compare(&mut result.findings, trace, &script, asked_for_out);
        }
        result.advice.extend(executed.gathered.advice);
        result.timing.start_ms = executed.start_time.as_secs_f64() * 1000.0;
        result.timing.run_ms = executed.run_time.as_secs_f64() * 1000.0;
        result.usage.wall_ms = result.timing.run_ms;
        if let Ending::Reported { report, .. } = &executed.ending {
            result.usage.wall_ms = millis(report.wall_us);
            result.usage.cpu_ms = report.cpu_us.map(millis);
            result.usage.peak_memory_bytes = report.peak_memory;
            result.stdout_truncated = report.stdout.dropped > 0;
            result.stderr_truncated = report.stderr.dropped > 0;
            result.dropped_bytes = report.stdout.dropped.saturating_add(report.stderr.dropped);
        }
        result.evidence = Some(evidence::of(&executed.ending));
        stages.end("account");
        let judgement = judge(
            &executed.ending,
            &result.limits,
            is_gvisor(&result.sandbox.runtime),
        );
        result.status = judgement.outcome;
        result.exit_code = judgement.exit_code;
        result.signal = judgement.signal;
        result.limits_hit = judgement.limits_hit;
        result.message = judgement.message;
        executed.stderr_end
    }
}

/// The supervisor's clock is another one in gVisor: its words are durations, as far as the daemon's own leave room.
fn tell_stages(executed: &Executed, stages: &mut Stages) {
    stages.end_after("hand-over", executed.start_time);
    let run = executed.run_time;
    let (program, account) = match &executed.ending {
        Ending::Reported { report, .. } => (report.wall_us, report.report_us),
        _ => (0, 0),
    };
    let program = Duration::from_micros(program).min(run);
    let account = Duration::from_micros(account).min(run.saturating_sub(program));
    stages.end_after("program", program);
    stages.end_after("supervisor after it", account);
    let relays = run.saturating_sub(program).saturating_sub(account);
    stages.end_after("engine there and back, supervisor before it", relays);
    stages.end("rest of the output");
}

fn millis(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1000.0
}
