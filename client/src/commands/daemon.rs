//! `daemon start|stop|restart|status|logs`; `install` and `uninstall` have a file of their own.

use std::time::{Duration, Instant};

use saferun_protocol::{ApiClient, socket_path};

use crate::{
    args::{DaemonCommand, Global},
    daemon::{become_daemon, reach_running, start},
    failure::Failure,
    ui,
};

/// How long a stop may take: the daemon drains for up to 20 s.
const STOP_WITHIN: Duration = Duration::from_secs(40);
/// What service managers return for `status` of something that does not run.
const NOT_RUNNING: u8 = 3;

/// Does what was asked with the daemon.
pub(crate) async fn daemon(command: DaemonCommand, _global: &Global) -> Result<u8, Failure> {
    match command {
        DaemonCommand::Start => bring_up().await,
        DaemonCommand::Stop => stop().await,
        DaemonCommand::Restart => {
            stop().await?;
            bring_up().await
        }
        DaemonCommand::Status => state().await,
        DaemonCommand::Install(args) => super::install::install(&args).await,
        DaemonCommand::Uninstall(args) => super::install::uninstall(&args).await,
        DaemonCommand::Logs { lines, follow } => super::logs::logs(lines, follow).await,
        DaemonCommand::Become { program } => Err(become_daemon(&program)),
    }
}

async fn bring_up() -> Result<u8, Failure> {
    let (client, what) = match reach_running().await? {
        Some(client) => (client, "runs already"),
        None => (start(&socket_path()?, true).await?, "was started"),
    };
    let status = client.status().await?;
    ui::note(format!(
        "daemon {what}, pid {}, at {}",
        status.daemon.pid,
        socket_path()?.display()
    ));
    Ok(0)
}

/// Stops the daemon, if one runs, and waits until it has ended.
pub(super) async fn stop() -> Result<u8, Failure> {
    let Some(client) = reach_running().await? else {
        ui::note("no daemon runs");
        return Ok(0);
    };
    let pid = client.status().await?.daemon.pid;
    client.shutdown().await?;
    drop(client);
    let began = Instant::now();
    while alive(pid) {
        if began.elapsed() > STOP_WITHIN {
            return Err(Failure::failed(
                format!("the daemon (pid {pid}) was told to stop 40 s ago and still runs"),
                format!("see why: saferunctl daemon logs; then, if it must be: kill {pid}"),
            ));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ui::note(format!("daemon (pid {pid}) was stopped"));
    Ok(0)
}

fn alive(pid: u32) -> bool {
    // A zombie has ended: only its parent has not looked yet.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit_once(") ")
            .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    })
}

async fn state() -> Result<u8, Failure> {
    let path = socket_path()?;
    let Some(client) = reach_running().await? else {
        ui::line(format!("no daemon listens at {}", path.display()));
        return Ok(NOT_RUNNING);
    };
    let daemon = client.status().await?.daemon;
    ui::line(format!(
        "daemon runs, pid {}, version {}, at {}",
        daemon.pid,
        daemon.version,
        path.display()
    ));
    Ok(0)
}
