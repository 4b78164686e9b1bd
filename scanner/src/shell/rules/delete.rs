//! Deleting and emptying files: the level follows what stands behind the path, not the command.

use super::super::nested::{is_filtered, roots};
use super::super::paths::{self, Stake, stake};
use super::super::state::Judge;
use super::super::word::{Command, Word};
use super::super::{HOLE, ShellKind};
use crate::Level;

/// Judges deletion by any program that deletes.
pub(super) fn command(judge: &mut Judge, command: &Command) {
    let name = command.program();
    match name.as_str() {
        "rm" | "unlink" | "srm" | "trash" | "rimraf" | "rmdir" => remove(judge, command, &name),
        "find" | "fd" => find(judge, command),
        "shred" | "scrub" => shred(judge, command),
        "truncate" => truncate(judge, command),
        "mv" => moved(judge, command),
        "rsync"
            if command
                .arguments()
                .iter()
                .any(|w| w.text.starts_with("--delete")) =>
        {
            let message = format!("deletes what the source lacks (`{}`)", command.line());
            judge.report(ShellKind::Delete, Level::High, message, command);
        }
        "del" | "erase" | "rd" | "remove-item" | "ri" => windows(judge, command, &name),
        "format" | "format-volume" | "clear-disk"
            if (command.arguments().iter().any(|w| w.text.contains(':')) || name.contains('-')) =>
        {
            let message = format!("formats a drive (`{}`)", command.line());
            judge.report(ShellKind::Disk, Level::Blocked, message, command);
        }
        _ => {}
    }
    redirects(judge, command);
}

/// The level of deleting what a path names, and words for it.
fn loss(path: &Word, recursive: bool) -> (Level, &'static str) {
    let star = path.text.ends_with('*');
    match stake(&path.text) {
        Stake::Root if recursive || star => (Level::Blocked, "everything on the machine"),
        Stake::Home if recursive || star => {
            (Level::Blocked, "the home folder or a large part of it")
        }
        Stake::System if recursive => (Level::Blocked, "a folder of the system"),
        Stake::Root | Stake::Home | Stake::System => {
            (Level::High, "files of the system or the home folder")
        }
        _ if paths::is_secret(&path.text) => (Level::High, "a store of keys or passwords"),
        Stake::Unknown if recursive => (
            Level::High,
            "a folder that cannot be known, which may be the root",
        ),
        Stake::Unknown => (Level::Medium, "a file that cannot be known"),
        Stake::Everything if recursive => (Level::High, "all of the working folder or more"),
        Stake::Everything => (Level::Medium, "the files of the working folder"),
        Stake::BelowHome if recursive => (Level::High, "a folder below the home folder"),
        Stake::BelowHome => (Level::Medium, "a file below the home folder"),
        Stake::Other if path.text.contains(HOLE) && recursive => {
            (Level::High, "a folder whose name is not all known")
        }
        Stake::Other => (Level::Medium, "a file or folder by name"),
    }
}

fn remove(judge: &mut Judge, command: &Command, name: &str) {
    let recursive = command.has_letter('r')
        || command.has_letter('R')
        || command.has(&["--recursive"])
        || matches!(name, "trash" | "rimraf");
    let mut worst: Option<(Level, &'static str, &Word)> = None;
    for path in command.operands() {
        let (level, what) = loss(&judge.located(path), recursive);
        if worst.as_ref().is_none_or(|(known, ..)| level > *known) {
            worst = Some((level, what, path));
        }
    }
    if name == "rmdir" {
        // removes only empty folders
        return;
    }
    if command.has(&["--no-preserve-root"]) {
        let message = "deletes even the root (`--no-preserve-root`)".to_owned();
        judge.report(ShellKind::Delete, Level::Blocked, message, command);
    }
    if let Some((level, what, path)) = worst {
        let message = format!(
            "deletes {what}: `{}` (`{}`)",
            shown(&path.text),
            command.line()
        );
        judge.report(ShellKind::Delete, level, message, command);
    }
    if command.appended
        || command
            .operands()
            .any(|word| !word.substitutions.is_empty() && !word.is_known())
    {
        let message = format!("deletes files that a command lists (`{}`)", command.line());
        judge.report(ShellKind::Delete, Level::High, message, command);
    }
}

fn shown(path: &str) -> String {
    path.chars()
        .take(80)
        .map(|c| if c == HOLE { '…' } else { c })
        .collect()
}

fn find(judge: &mut Judge, command: &Command) {
    if !command.has(&["-delete"]) {
        return;
    }
    let filtered = is_filtered(command);
    for root in roots(command) {
        let (level, what) = loss(&judge.located(&root), true);
        let level = match (level, filtered) {
            (Level::Blocked, true) => Level::High,
            (Level::High, true) => Level::Medium,
            (level, _) => level,
        };
        let message = format!(
            "deletes what it finds below `{}`, {what}",
            shown(&root.text)
        );
        judge.report(ShellKind::Delete, level, message, command);
    }
}

fn shred(judge: &mut Judge, command: &Command) {
    for path in command.operands() {
        let device = paths::is_device(&path.text);
        let level = if device {
            Level::Blocked
        } else {
            loss(path, true).0.max(Level::High)
        };
        let kind = if device {
            ShellKind::Disk
        } else {
            ShellKind::Delete
        };
        let message = format!("overwrites `{}` beyond recovery", shown(&path.text));
        judge.report(kind, level, message, command);
    }
}

fn truncate(judge: &mut Judge, command: &Command) {
    for path in command
        .operands()
        .filter(|w| !w.text.chars().all(|c| c.is_ascii_digit()))
    {
        let level = loss(path, false).0;
        let message = format!("cuts the content of `{}`", shown(&path.text));
        judge.report(ShellKind::Delete, level, message, command);
    }
}

fn moved(judge: &mut Judge, command: &Command) {
    let operands: Vec<&Word> = command.operands().collect();
    let Some((target, sources)) = operands.split_last() else {
        return;
    };
    for source in sources {
        let at_stake = matches!(
            stake(&source.text),
            Stake::Root | Stake::Home | Stake::System
        );
        if at_stake
            && (target.text == "/dev/null"
                || matches!(stake(&source.text), Stake::Home | Stake::Root))
        {
            let message = format!(
                "moves `{}` away to `{}`",
                shown(&source.text),
                shown(&target.text)
            );
            judge.report(ShellKind::Delete, Level::Blocked, message, command);
        } else if at_stake {
            let message = format!("moves `{}` of the system", shown(&source.text));
            judge.report(ShellKind::Delete, Level::High, message, command);
        }
    }
}

fn windows(judge: &mut Judge, command: &Command, name: &str) {
    let all = command.arguments().iter().any(|word| {
        let text = word.text.to_ascii_lowercase();
        matches!(
            text.as_str(),
            "/s" | "/q" | "/f" | "-recurse" | "-force" | "-r"
        )
    });
    for path in command
        .arguments()
        .iter()
        .filter(|w| !(w.text.starts_with('-') || w.text.starts_with('/') && w.text.len() == 2))
    {
        let level = match stake(&path.text) {
            Stake::Root | Stake::Home | Stake::System => Level::Blocked,
            Stake::Unknown | Stake::Everything if all => Level::High,
            _ => Level::Medium,
        };
        let message = format!("deletes `{}` (`{name}`)", shown(&path.text));
        judge.report(ShellKind::Delete, level, message, command);
    }
}

/// `> file` empties the file.
fn redirects(judge: &mut Judge, command: &Command) {
    for redirect in command
        .redirects
        .iter()
        .filter(|redirect| redirect.truncates())
    {
        let path = &redirect.target;
        let temporary = matches!(
            path.text.as_str(),
            "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/tty"
        );
        if temporary || path.text.starts_with("/dev/fd/") || path.process {
            continue;
        }
        if stake(&path.text) == Stake::System
            && !paths::is_device(&path.text)
            && !paths::is_startup(&path.text)
        {
            let message = format!("overwrites `{}`, a file of the system", shown(&path.text));
            judge.report(ShellKind::Delete, Level::High, message, command);
        }
    }
}
