//! Rights, owners, processes, containers: commands whose level depends on their operands.

use super::super::paths::{Stake, stake};
use super::super::state::Judge;
use super::super::word::Command;
use super::super::{HOLE, ShellKind};
use crate::Level;

/// Judges commands that change the machine.
pub(super) fn command(judge: &mut Judge, command: &Command) {
    let name = command.program();
    match name.as_str() {
        "chmod" => chmod(judge, command),
        "chown" | "chgrp" => chown(judge, command),
        "kill" | "pkill" | "killall" | "killall5" | "skill" | "taskkill" => {
            kill(judge, command, &name);
        }
        "mount"
            if command
                .operands()
                .any(|word| word.text.starts_with("/dev/")) =>
        {
            let message = "mounts a disk of the machine".to_owned();
            judge.report(ShellKind::Privilege, Level::High, message, command);
        }
        "docker" | "podman" | "nerdctl" => container(judge, command, &name),
        "mkfifo" | "mknod" => {
            judge.pipes.extend(
                command
                    .operands()
                    .take(4)
                    .map(|word| word.text.clone())
                    .collect::<Vec<_>>(),
            );
        }
        "yes"
            if command
                .redirects
                .iter()
                .any(|r| r.writes() && !r.target.text.starts_with("/dev/")) =>
        {
            let message = "fills the disk without end (`yes` into a file)".to_owned();
            judge.report(ShellKind::Exhaustion, Level::High, message, command);
        }
        "cat"
            if command.has(&["/dev/zero", "/dev/urandom"])
                && command
                    .redirects
                    .iter()
                    .any(|r| r.writes() && r.target.text != "/dev/null") =>
        {
            let message = "fills the disk without end".to_owned();
            judge.report(ShellKind::Exhaustion, Level::High, message, command);
        }
        _ => {}
    }
    for redirect in command
        .redirects
        .iter()
        .filter(|redirect| redirect.writes())
    {
        let path = &redirect.target.text;
        if path.starts_with("/proc/") || path.starts_with("/sys/") {
            let level = if path.contains("sysrq")
                || path.contains("core_pattern")
                || path.contains("release_agent")
            {
                Level::Blocked
            } else {
                Level::High
            };
            let message = format!(
                "changes a setting of the kernel (`{}`)",
                path.replace(HOLE, "…")
            );
            judge.report(ShellKind::Privilege, level, message, command);
        }
    }
}

fn recursive(command: &Command) -> bool {
    command.has_letter('R') || command.has(&["--recursive"])
}

fn chmod(judge: &mut Judge, command: &Command) {
    let mode = command
        .arguments()
        .iter()
        .map(|w| w.text.as_str())
        .find(|t| !t.starts_with("-R") && !t.starts_with("--"));
    let mode = mode.unwrap_or_default();
    let open = mode.ends_with('7')
        || mode.ends_with('6')
        || mode.contains("o+w")
        || mode.contains("a+w")
        || mode == "a+rwx"
        || mode == "+w" && recursive(command);
    let special = mode.contains("+s") || (mode.len() == 4 && mode.starts_with(['4', '6', '2']));
    if special {
        let message = format!(
            "lets a program run with the rights of its owner (`{}`)",
            command.line()
        );
        judge.report(ShellKind::Privilege, Level::High, message, command);
    }
    let mut worst = None;
    for path in command.operands().skip(1) {
        worst = worst.max(match stake(&path.text) {
            Stake::Root | Stake::Home | Stake::System if recursive(command) => Some(Level::Blocked),
            Stake::Root | Stake::Home | Stake::System if open => Some(Level::High),
            _ if open && recursive(command) => Some(Level::High),
            _ if open => Some(Level::Medium),
            _ => None,
        });
    }
    if let Some(level) = worst {
        let message = format!("opens files to others (`{}`)", command.line());
        judge.report(ShellKind::Permissions, level, message, command);
    }
}

fn chown(judge: &mut Judge, command: &Command) {
    let mut level = Level::Medium;
    for path in command.operands().skip(1) {
        level = level.max(match stake(&path.text) {
            Stake::Root | Stake::Home | Stake::System if recursive(command) => Level::Blocked,
            Stake::Root | Stake::Home | Stake::System => Level::High,
            _ if recursive(command) && path.text.contains(HOLE) => Level::High,
            _ => Level::Medium,
        });
    }
    let message = format!("changes who owns files (`{}`)", command.line());
    judge.report(ShellKind::Permissions, level, message, command);
}

fn kill(judge: &mut Judge, command: &Command, name: &str) {
    let arguments = command.arguments();
    let all = match name {
        "kill" => arguments.last().is_some_and(|w| w.text == "-1") && arguments.len() >= 2,
        "killall5" => true,
        "pkill" | "skill" => {
            command.has(&["-u", "-U", "."])
                || command.operands().any(|w| w.text == "." || w.text == ".*")
        }
        _ => command.has(&["-u"]) && command.operands().count() < 2,
    };
    let quiet = name == "kill" && command.has(&["-0", "-l"]);
    if quiet {
        return;
    }
    let (level, what) = if all {
        (Level::Blocked, "ends every process that it may")
    } else if command.operands().any(|w| w.text == "1") && name == "kill" {
        (Level::High, "signals the first process of the machine")
    } else {
        (Level::Medium, "ends processes")
    };
    judge.report(
        ShellKind::Kill,
        level,
        format!("{what} (`{}`)", command.line()),
        command,
    );
}

fn container(judge: &mut Judge, command: &Command, name: &str) {
    let words = command.arguments();
    let has = |text: &str| words.iter().any(|word| word.text == text);
    if words.is_empty()
        || has("ps")
        || has("images")
        || has("version")
        || has("--version")
        || has("info")
    {
        return;
    }
    let starts = has("run") || has("create") || has("exec");
    let mount_root = words.iter().any(|word| {
        let text = word
            .text
            .trim_start_matches("-v")
            .trim_start_matches("--volume=");
        let host = text.split(':').next().unwrap_or_default();
        (text.starts_with("/:")
            || text.contains("docker.sock:")
            || text.contains("source=/,")
            || text.contains("src=/,"))
            || (text.contains(':')
                && matches!(stake(host), Stake::Home | Stake::System)
                && host.starts_with(['/', '~']))
    });
    let broad = words.iter().any(|word| {
        let text = word.text.as_str();
        matches!(
            text,
            "--privileged"
                | "--privileged=true"
                | "--pid=host"
                | "--cap-add=ALL"
                | "--userns=host"
                | "--net=host"
                | "--network=host"
                | "--ipc=host"
        ) || text.starts_with("--device")
            || text.contains("SYS_ADMIN")
            || text.contains("=unconfined")
    });
    let (level, what) = if starts && mount_root {
        (
            Level::Blocked,
            "gives a container the files of this machine",
        )
    } else if starts && broad {
        (Level::High, "gives a container rights over this machine")
    } else if has("prune")
        || (has("rm") && (has("-f") || has("-af")))
        || has("rmi")
        || has("down") && has("-v")
    {
        (Level::High, "deletes containers, images or volumes")
    } else {
        (Level::Medium, "uses containers")
    };
    let message = format!(
        "{what} (`{name} {}`)",
        words
            .iter()
            .map(|w| w.text.as_str())
            .take(6)
            .collect::<Vec<_>>()
            .join(" ")
    );
    judge.report(
        ShellKind::Container,
        level,
        message.replace(HOLE, "…"),
        command,
    );
}
