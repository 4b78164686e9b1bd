//! `daemon logs`: from the file that a daemon writes which a command started, or from systemd's journal where a unit
//! starts it.

use std::{
    io::{self, ErrorKind},
    os::unix::process::CommandExt,
    path::Path,
    process::Command,
};

use crate::{
    daemon::{Manager, follow, last_lines, log_file},
    exit,
    failure::Failure,
    ui,
};

/// Folders of the system's units: the administrator's, the distribution's.
const SYSTEM_UNITS: [&str; 2] = ["/etc/systemd/system", "/usr/lib/systemd/system"];

/// Prints the last lines, and what comes after them if it is asked to.
pub(super) async fn logs(lines: usize, go_on: bool) -> Result<u8, Failure> {
    let user = super::install::user_folder().ok();
    let known = |folder: &Path| folder.join(super::install::SERVICE).exists();
    let manager = if user.is_some_and(|folder| known(&folder)) {
        Some(Manager::User)
    } else {
        let mut folders = SYSTEM_UNITS.iter().map(Path::new);
        folders.any(known).then_some(Manager::System)
    };
    match manager {
        Some(manager) if super::install::has_systemd() => Err(journal(manager, lines, go_on)),
        _ => file(lines, go_on).await,
    }
}

/// Becomes `journalctl`, which makes what it shows harmless for a terminal. Returns only if that fails.
fn journal(manager: Manager, lines: usize, go_on: bool) -> Failure {
    let mut command = Command::new("journalctl");
    command.args(of_journal(manager, lines, go_on));
    let error = command.exec();
    Failure::failed(
        format!("journalctl does not start: {error}"),
        "systemd's journal has the log of a daemon that a unit starts; install journalctl",
    )
}

fn of_journal(manager: Manager, lines: usize, go_on: bool) -> Vec<String> {
    let unit = match manager {
        Manager::User => "--user-unit",
        Manager::System => "--unit",
    };
    let mut line = vec![
        unit.to_owned(),
        super::install::SERVICE.to_owned(),
        format!("--lines={lines}"),
        "--no-pager".to_owned(),
    ];
    if go_on {
        line.push("--follow".to_owned());
    }
    line
}

async fn file(lines: usize, go_on: bool) -> Result<u8, Failure> {
    let path = log_file()?;
    let unreadable = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => Failure {
            exit: exit::NOT_OK,
            ..Failure::failed(
                format!("there is no log at {}", path.display()),
                "saferunctl has not started a daemon yet",
            )
        },
        _ => Failure::failed(
            format!("cannot read {}: {error}", path.display()),
            "check who owns it",
        ),
    };
    for line in last_lines(&path, lines, 0).map_err(unreadable)? {
        ui::line(line);
    }
    if go_on {
        follow(&path).await.map_err(unreadable)?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_is_asked_for_one_unit_and_without_a_pager() {
        let asked = |manager, go_on| of_journal(manager, 7, go_on).join(" ");
        assert_eq!(
            asked(Manager::User, true),
            "--user-unit saferund.service --lines=7 --no-pager --follow"
        );
        assert_eq!(
            asked(Manager::System, false),
            "--unit saferund.service --lines=7 --no-pager"
        );
    }
}
