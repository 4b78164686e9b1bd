//! `status`: everything at a glance.

use std::fmt::Write as _;

use saferun_protocol::{ApiClient, PolicyStatus, PoolStatus, Status};

use crate::{
    args::Global,
    daemon, exit,
    failure::Failure,
    ui::{self, Paint, one_line},
    units::{show_bytes, show_ms},
};

/// Shows the status; exit code 0 if a run would be accepted now, else 1.
pub(crate) async fn status(json: bool, global: &Global) -> Result<u8, Failure> {
    let client = daemon::reach(global.may_start()).await?;
    let status = client.status().await?;
    if json {
        ui::line(ui::pretty_json(&status));
    } else {
        ui::out(text(&status, Paint::stdout()));
    }
    Ok(if status.ready { 0 } else { exit::NOT_OK })
}

/// For a person: it is told in whole seconds.
#[expect(clippy::cast_precision_loss, reason = "for a person")]
fn uptime(seconds: u64) -> String {
    match seconds {
        0 => "less than a second".to_owned(),
        seconds => show_ms(seconds as f64 * 1000.0),
    }
}

fn text(status: &Status, paint: Paint) -> String {
    let mut out = String::new();
    let ready = if status.ready {
        paint.good("ready")
    } else {
        paint.bad("not ready")
    };
    let daemon = &status.daemon;
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "daemon   {ready}, version {}, pid {}, up {}, policy {}",
        daemon.version,
        daemon.pid,
        uptime(daemon.uptime_s),
        daemon.policy
    );
    out.push_str(&policy_text(&status.policy, paint));
    let engine = &status.engine;
    let version = match (&engine.version, engine.reachable) {
        (Some(version), true) => one_line(version),
        _ => paint.bad("does not answer"),
    };
    let runtimes = match &engine.runtimes[..] {
        [] => String::new(),
        known => format!(", runtimes: {}", one_line(&known.join(", "))),
    };
    let _ = writeln!(
        out,
        "engine   {version} at {}{runtimes}",
        one_line(&engine.address),
    );
    let _ = writeln!(
        out,
        "runs     {} running, {} waiting, {} finished",
        status.running, status.queued, status.finished
    );
    if status.canary_checks > 0 {
        let _ = writeln!(
            out,
            "canary   {} containers looked at before use: nothing of an earlier run in them",
            status.canary_checks
        );
    }
    for image in &status.images {
        let what = match (&image.id, image.current) {
            (None, _) => paint.warn("not built: saferunctl image build"),
            (Some(_), false) => paint.warn("out of date: saferunctl image build"),
            (Some(_), true) => "current".to_owned(),
        };
        let size = image
            .size_bytes
            .map_or(String::new(), |bytes| format!(", {}", show_bytes(bytes)));
        let _ = writeln!(out, "image    {}: {what}{size}", one_line(&image.variant));
    }
    for pool in &status.pools {
        out.push_str(&pool_text(pool, paint));
    }
    for problem in &status.problems {
        let _ = writeln!(out, "{}  {}", paint.bad("problem"), one_line(problem));
    }
    out
}

/// Empty for a daemon that does not say.
fn policy_text(policy: &PolicyStatus, paint: Paint) -> String {
    if policy.hash.is_empty() {
        return String::new();
    }
    let layers: Vec<String> = policy.layers.iter().map(|layer| one_line(layer)).collect();
    let hash = policy.hash.get(..19).unwrap_or(&policy.hash);
    let mut out = format!(
        "policy   {}\n         {}\n",
        layers.join(" < "),
        paint.dim(hash)
    );
    let what = if policy.blocked {
        "nothing runs until this is mended:"
    } else {
        "the policy from before this mistake holds:"
    };
    for problem in &policy.problems {
        let _ = writeln!(out, "{}  {what}", paint.bad("problem"));
        for line in problem.lines() {
            let _ = writeln!(out, "         {}", one_line(line));
        }
    }
    out
}

fn pool_text(pool: &PoolStatus, paint: Paint) -> String {
    let start = pool.start_ms.map_or(String::new(), |ms| {
        format!(", a start takes {}", show_ms(ms))
    });
    let mut out = format!(
        "pool     {} of {} warm, {} starting, {} in use; {} hits, {} misses{start}\n         {}\n",
        pool.warm,
        pool.target,
        pool.starting,
        pool.leased,
        pool.hits,
        pool.misses,
        paint.dim(&one_line(&pool.key)),
    );
    if let Some(error) = &pool.last_error {
        let _ = writeln!(out, "         last failed start: {}", one_line(error));
    }
    out
}

#[cfg(test)]
mod tests {
    use saferun_protocol::{DaemonInfo, EngineStatus, ImageInfo};

    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_its_remedy() {
        let daemon = DaemonInfo::new(
            "0.1.0".to_owned(),
            7,
            90,
            "i".to_owned(),
            "default".to_owned(),
        );
        let mut status = Status::new(daemon, EngineStatus::default());
        status.images.push(ImageInfo::missing("python"));
        status.engine.address = "unix:///e.sock".to_owned();
        status.canary_checks = 7;
        status.problems.push("no engine\x1b[2J".to_owned());
        let text = text(&status, Paint::plain());
        assert!(
            text.contains("not ready, version 0.1.0, pid 7, up 1 m 30 s, policy default"),
            "{text}"
        );
        assert!(
            text.contains("python: not built: saferunctl image build"),
            "{text}"
        );
        assert!(text.contains("at unix:///e.sock\n"), "{text}");
        assert!(text.contains("canary   7 containers looked at"), "{text}");
        assert!(text.contains("problem  no engine\\x1b[2J"), "{text}");
    }

    #[test]
    fn a_daemon_that_has_just_started_is_up_for_less_than_a_second() {
        assert_eq!(uptime(0), "less than a second");
        assert_eq!(uptime(90), "1 m 30 s");
    }
}
