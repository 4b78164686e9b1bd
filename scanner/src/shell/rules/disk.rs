//! Writing to block devices and making file systems.

use super::super::ShellKind;
use super::super::paths::is_device;
use super::super::state::Judge;
use super::super::word::Command;
use crate::Level;

/// Judges everything that may end on a disk.
pub(super) fn command(judge: &mut Judge, command: &Command) {
    let name = command.program();
    for redirect in command
        .redirects
        .iter()
        .filter(|redirect| redirect.writes())
    {
        device(judge, command, &redirect.target.text);
    }
    match name.as_str() {
        "dd" => dd(judge, command),
        "tee" => {
            for word in command.operands() {
                device(judge, command, &word.text);
            }
        }
        "cp" | "mv" | "install" | "pv" => {
            if let Some(last) = command.operands().last() {
                device(judge, command, &last.text);
            }
        }
        _ if name.starts_with("mkfs")
            || matches!(name.as_str(), "mke2fs" | "mkswap" | "newfs" | "mkntfs") =>
        {
            let image = command
                .operands()
                .all(|word| !word.text.starts_with('/') && word.is_known());
            let level = if image { Level::Medium } else { Level::Blocked };
            let message = format!(
                "makes a new file system, which loses the old one (`{}`)",
                command.line()
            );
            judge.report(ShellKind::Disk, level, message, command);
        }
        "wipefs" | "blkdiscard" | "sgdisk" | "sfdisk" | "fdisk" | "parted" | "gdisk" | "hdparm"
        | "badblocks" | "cryptsetup" | "nvme" | "diskpart" => {
            let reads = command.has(&[
                "-l", "--list", "-p", "--print", "print", "-I", "list", "status",
            ]);
            if !reads && !command.arguments().is_empty() {
                let message = format!(
                    "changes the layout or content of a disk (`{}`)",
                    command.line()
                );
                judge.report(ShellKind::Disk, Level::Blocked, message, command);
            }
        }
        "diskutil"
            if command
                .arguments()
                .iter()
                .any(|w| w.text.to_lowercase().contains("erase")) =>
        {
            let message = format!("erases a disk (`{}`)", command.line());
            judge.report(ShellKind::Disk, Level::Blocked, message, command);
        }
        "fallocate" => {
            let message = format!("reserves disk space (`{}`)", command.line());
            judge.report(ShellKind::Exhaustion, Level::Medium, message, command);
        }
        _ => {}
    }
}

fn device(judge: &mut Judge, command: &Command, path: &str) {
    if is_device(path) {
        let message = format!(
            "writes to the device `{}`",
            path.replace(super::super::HOLE, "…")
        );
        judge.report(ShellKind::Disk, Level::Blocked, message, command);
    }
}

fn dd(judge: &mut Judge, command: &Command) {
    let operand = |key: &str| {
        command
            .arguments()
            .iter()
            .find_map(|word| word.text.strip_prefix(key).map(str::to_owned))
    };
    let target = operand("of=").unwrap_or_default();
    let harmless = matches!(
        target.as_str(),
        "/dev/null" | "/dev/stdout" | "/dev/zero" | "/dev/tty"
    );
    if target.starts_with("/dev/") && !harmless {
        let message = format!(
            "writes to the device `{}`",
            target.replace(super::super::HOLE, "…")
        );
        judge.report(ShellKind::Disk, Level::Blocked, message, command);
        return;
    }
    if target.contains(super::super::HOLE) {
        let message = "writes with `dd` to a place that cannot be known".to_owned();
        judge.report(ShellKind::Disk, Level::High, message, command);
    }
    let source = operand("if=").unwrap_or_default();
    if is_device(&source) {
        let message = format!("reads the device `{source}` past all file rights");
        judge.report(ShellKind::SecretRead, Level::High, message, command);
    }
    let endless = source == "/dev/zero" || source == "/dev/urandom";
    if endless && operand("count=").is_none() && !target.is_empty() && !harmless {
        let message = "fills the disk without end (`dd` without a count)".to_owned();
        judge.report(ShellKind::Exhaustion, Level::High, message, command);
    }
}
