//! `doctor`: looks at everything a run needs, whether or not the daemon can start. Only `--fix` changes anything.

mod check;
mod engine;
mod fix;
mod host;
mod http;

use saferun_protocol::{ApiClient, Status};
use serde_json::json;

use crate::{
    daemon::{find_daemon, reach_running},
    exit,
    failure::Failure,
    ui::{self, Paint},
};
use check::{Check, State};

/// Checks, prints, and returns 0 only if all that is required is there.
pub(crate) async fn doctor(json: bool) -> Result<u8, Failure> {
    Ok(report(&look().await, json))
}

/// Checks, mends what it can, and checks again.
pub(crate) async fn mend(yes: bool) -> Result<u8, Failure> {
    let seen = look().await;
    if !fix::fix(&seen.engine, seen.image, yes).await? {
        return Ok(exit::NOT_OK);
    }
    Ok(report(&look().await, false))
}

/// What was seen of this machine.
struct Seen {
    checks: Vec<Check>,
    engine: engine::Found,
    /// Whether the image is there and current, if the daemon could be asked.
    image: Option<bool>,
}

async fn look() -> Seen {
    let (daemon, status) = daemon().await;
    let mut checks = vec![host::socket(), host::runtime_dir(), daemon];
    let address = status.as_ref().map(|status| status.engine.address.as_str());
    let engine = engine::find(address);
    checks.extend(engine::checks(&engine));
    let image = status.as_ref().map_or_else(
        || engine::image_without_daemon(&engine),
        |status| engine::image(&status.images),
    );
    let good = image.state == State::Ok;
    if !good {
        checks.push(host::mmdebstrap(image.state == State::Missing));
    }
    checks.extend([image, host::disk(), host::user_ids()]);
    if let Some(status) = &status {
        checks.extend(status.problems.iter().map(|problem| {
            Check::missing(
                "daemon's own view",
                "it refuses runs until then",
                problem.clone(),
                "see also: saferunctl daemon logs",
            )
        }));
    }
    Seen {
        checks,
        engine,
        image: status.map(|_| good),
    }
}

fn report(seen: &Seen, json: bool) -> u8 {
    let missing = seen
        .checks
        .iter()
        .filter(|check| check.state == State::Missing)
        .count();
    if json {
        ui::line(ui::json(
            &json!({"ok": missing == 0, "checks": seen.checks}),
        ));
    } else {
        let paint = Paint::stdout();
        ui::out(
            seen.checks
                .iter()
                .map(|check| check.text(paint))
                .collect::<String>(),
        );
        ui::line(match missing {
            0 => "everything that is required is there".to_owned(),
            1 => "one required thing is missing".to_owned(),
            count => format!("{count} required things are missing"),
        });
        if missing > 0 {
            ui::note("what can be mended here: saferunctl doctor --fix");
        }
    }
    if missing == 0 { 0 } else { exit::NOT_OK }
}

async fn daemon() -> (Check, Option<Status>) {
    let (name, why) = (
        "daemon",
        "it keeps containers warm, decides and keeps the record",
    );
    let own = env!("CARGO_PKG_VERSION");
    match reach_running().await {
        Ok(Some(client)) => match client.status().await {
            Ok(status) if status.daemon.version == own => {
                let found = format!("version {own}, pid {}", status.daemon.pid);
                (Check::ok(name, why, found), Some(status))
            }
            Ok(status) => {
                let found = format!(
                    "version {}, but this saferunctl is {own}",
                    status.daemon.version
                );
                (
                    Check::advisory(name, why, found, "saferunctl daemon restart"),
                    Some(status),
                )
            }
            Err(error) => (
                Check::missing(
                    name,
                    why,
                    format!("does not answer: {error}"),
                    "saferunctl daemon logs",
                ),
                None,
            ),
        },
        Ok(None) => match find_daemon() {
            Ok(path) => (
                Check::ok(
                    name,
                    why,
                    format!("not running; the first run starts {}", path.display()),
                ),
                None,
            ),
            Err(failure) => (
                Check::missing(
                    name,
                    why,
                    failure.message,
                    failure.advice.unwrap_or_default(),
                ),
                None,
            ),
        },
        Err(failure) => (
            Check::missing(
                name,
                why,
                failure.message,
                failure
                    .advice
                    .unwrap_or_else(|| "mend the socket first".to_owned()),
            ),
            None,
        ),
    }
}
