//! `self-check`: harmless programs that try to break each promise, run the ordinary way.

mod probe;

use std::{env, fs, path::PathBuf};

use saferun_protocol::{ApiClient, ClientKind, RunRequest, RunResult};
use serde_json::json;

use crate::{
    args::Global,
    daemon, exit,
    failure::Failure,
    ui::{self, Paint, one_line},
    units::show_ms,
};
use probe::{OF_LINUX_ALONE, PROBES, Probe, judge};

/// Policy of the probes: they look like what they try, and are to be judged by what comes of it.
const POLICY: &str = "permissive";

/// How a probe went.
struct Verdict {
    probe: &'static Probe,
    problem: Option<String>,
    /// Not looked at, because the runtime has no such thing.
    skipped: bool,
    wall_ms: f64,
    container: String,
}

/// Runs all probes; 0 if all passed, 1 if one failed.
pub(crate) async fn self_check(
    json: bool,
    runtime: Option<&str>,
    global: &Global,
) -> Result<u8, Failure> {
    let client = daemon::reach(global.may_start()).await?;
    let canary = Canary::place()?;
    let paint = Paint::stdout();
    let mut verdicts: Vec<Verdict> = Vec::new();
    for probe in &PROBES {
        let result = client.run(request(probe, runtime, &canary)).await?;
        let mut problem = judge(probe.expected_in(&result.sandbox.runtime), &result).err();
        let container = result.sandbox.container.clone();
        if problem.is_none() {
            problem = used_before(&container, &verdicts);
        }
        let skipped = problem.is_some()
            && result.sandbox.runtime == "runsc"
            && OF_LINUX_ALONE.contains(&probe.name);
        let verdict = Verdict {
            probe,
            problem: problem.filter(|_| !skipped),
            skipped,
            wall_ms: result.usage.wall_ms,
            container,
        };
        if !json {
            ui::out(text(&verdict, paint));
        }
        verdicts.push(verdict);
        note_runtime(&result, runtime)?;
    }
    let failed = verdicts
        .iter()
        .filter(|verdict| verdict.problem.is_some())
        .count();
    let skipped = verdicts.iter().filter(|verdict| verdict.skipped).count();
    if json {
        ui::line(ui::json(&report(&verdicts, failed)));
    } else {
        ui::line(match failed {
            0 if skipped == 0 => format!("all {} probes passed: the sandbox holds", verdicts.len()),
            0 => format!(
                "all {} probes that apply passed: the sandbox holds",
                verdicts.len() - skipped
            ),
            failed => format!(
                "{failed} of {} probes FAILED: do not run code that you do not trust",
                verdicts.len()
            ),
        });
    }
    Ok(if failed == 0 { 0 } else { exit::NOT_OK })
}

fn request(probe: &Probe, runtime: Option<&str>, canary: &Canary) -> RunRequest {
    let mut request = RunRequest::new(probe.code);
    request.file_name = Some(format!("{}.py", probe.name));
    request.args = canary.paths();
    request.policy = Some(POLICY.to_owned());
    request.runtime = runtime.map(str::to_owned);
    request.limits.time_ms = probe.tight.time_ms;
    request.limits.memory_bytes = probe.tight.memory_bytes;
    request.limits.pids = probe.tight.pids;
    request.client = ClientKind::Terminal;
    request
}

fn used_before(container: &str, verdicts: &[Verdict]) -> Option<String> {
    let before = verdicts
        .iter()
        .find(|verdict| !container.is_empty() && verdict.container == container)?;
    Some(format!(
        "ran in the same container as {}",
        before.probe.name
    ))
}

/// A probe of another runtime than the one asked for would prove nothing.
fn note_runtime(result: &RunResult, asked: Option<&str>) -> Result<(), Failure> {
    match asked {
        Some(asked) if !result.sandbox.runtime.is_empty() && result.sandbox.runtime != asked => {
            Err(Failure::failed(
                format!(
                    "asked for {asked}, but the run was in {}",
                    one_line(&result.sandbox.runtime)
                ),
                "saferunctl doctor",
            ))
        }
        _ => Ok(()),
    }
}

fn text(verdict: &Verdict, paint: Paint) -> String {
    let promise = verdict.probe.promise;
    match &verdict.problem {
        None if verdict.skipped => {
            format!(
                "n/a   {promise} (not so in gVisor, where it reaches nothing of this machine: docs/containment.md)\n"
            )
        }
        None => format!(
            "{}  {promise} {}\n",
            paint.good("PASS"),
            paint.dim(&format!("({})", show_ms(verdict.wall_ms)))
        ),
        Some(problem) => format!(
            "{}  {promise}\n      {}: {}\n",
            paint.bad("FAIL"),
            verdict.probe.name,
            one_line(problem)
        ),
    }
}

fn report(verdicts: &[Verdict], failed: usize) -> serde_json::Value {
    let probes: Vec<_> = verdicts
        .iter()
        .map(|verdict| {
            json!({
                "name": verdict.probe.name,
                "promise": verdict.probe.promise,
                "passed": verdict.problem.is_none() && !verdict.skipped,
                "skipped": verdict.skipped,
                "problem": verdict.problem,
                "wall_ms": verdict.wall_ms,
            })
        })
        .collect();
    json!({"ok": failed == 0, "probes": probes})
}

/// A file of this machine that no program in a sandbox may see.
struct Canary(PathBuf);

impl Canary {
    fn place() -> Result<Self, Failure> {
        let path = env::temp_dir().join(format!("saferun-self-check-{}", std::process::id()));
        let placed = fs::File::create_new(&path);
        placed.map_err(|error| {
            Failure::failed(
                format!("cannot make {}: {error}", path.display()),
                "set TMPDIR to a folder of your own",
            )
        })?;
        Ok(Self(path))
    }

    /// What the programs are told to look for.
    fn paths(&self) -> Vec<String> {
        let exe = env::current_exe().ok();
        [Some(&self.0), exe.as_ref()]
            .into_iter()
            .flatten()
            .map(|path| path.display().to_string())
            .collect()
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
