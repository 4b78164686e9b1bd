//! Arranging to be run again, or letting somebody in: start-up files, timed jobs, units, login keys.

use super::super::paths::{is_startup, normalise};
use super::super::state::Judge;
use super::super::word::Command;
use super::super::{HOLE, ShellKind};
use crate::Level;

/// Judges writes to start-up files and the programs that arrange the same.
pub(super) fn command(judge: &mut Judge, command: &Command) {
    let name = command.program();
    for redirect in command
        .redirects
        .iter()
        .filter(|redirect| redirect.writes())
    {
        written(judge, command, &redirect.target.text);
    }
    match name.as_str() {
        "tee" | "touch" | "nano" | "ed" => {
            for word in command.operands() {
                written(judge, command, &word.text);
            }
        }
        "sed" | "perl"
            if command
                .arguments()
                .iter()
                .any(|w| w.text.starts_with("-i") || w.text == "-pi") =>
        {
            for word in command.operands().skip(1) {
                written(judge, command, &word.text);
            }
        }
        "cp" | "mv" | "ln" | "install" | "rsync" | "curl" | "wget" => {
            let last = match name.as_str() {
                "curl" | "wget" => command.value_of(&["-o", "-O", "--output", "--output-document"]),
                _ => command.operands().last(),
            };
            if let Some(target) = last {
                written(judge, command, &target.text);
            }
        }
        "dd" => {
            for word in command.arguments() {
                if let Some(target) = word.text.strip_prefix("of=") {
                    written(judge, command, target);
                }
            }
        }
        "crontab" => crontab(judge, command),
        "git" if command.has(&["config"]) => git(judge, command),
        _ => {}
    }
}

fn written(judge: &mut Judge, command: &Command, path: &str) {
    if !is_startup(path) {
        return;
    }
    let path = normalise(path).replace(HOLE, "…");
    let what = if path.contains("authorized_keys")
        || path.contains("sudoers")
        || path.contains("/etc/passwd")
    {
        "lets somebody in"
    } else {
        "arranges to be run again"
    };
    let message = format!("{what}: writes to `{path}`");
    judge.report(ShellKind::Persistence, Level::Blocked, message, command);
}

fn crontab(judge: &mut Judge, command: &Command) {
    if command.has(&["-l"]) {
        return;
    }
    let (level, message) = if command.has(&["-r"]) {
        (Level::High, "deletes the table of timed jobs")
    } else if command.has(&["-e"]) {
        (Level::Medium, "edits the table of timed jobs")
    } else {
        (Level::Blocked, "replaces the table of timed jobs")
    };
    judge.report(ShellKind::Persistence, level, message.to_owned(), command);
}

fn git(judge: &mut Judge, command: &Command) {
    for word in command.operands() {
        let key = word.text.to_ascii_lowercase();
        let runs = [
            "core.hookspath",
            "core.pager",
            "core.sshcommand",
            "core.fsmonitor",
            "core.editor",
            "credential.helper",
        ]
        .iter()
        .any(|known| key.starts_with(known))
            || key.starts_with('!');
        if runs {
            let message = format!("makes git run a program (`{}`)", command.line());
            judge.report(ShellKind::Persistence, Level::High, message, command);
            return;
        }
    }
}
