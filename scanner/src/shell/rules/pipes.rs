//! What only a pipeline shows: a download, decoded text or a list of files that flows into something that runs it.

use super::super::nested::{is_interpreter, is_shell, roots};
use super::super::paths::{Stake, stake};
use super::super::state::Judge;
use super::super::word::Command;
use super::super::{HOLE, ShellKind, fold};
use super::{access, network};
use crate::Level;

/// Programs that turn one text into another.
const DECODERS: [&str; 14] = [
    "base64", "base32", "xxd", "openssl", "gunzip", "gzip", "zcat", "bunzip2", "xz", "rev", "tr",
    "sed", "uudecode", "gpg",
];

/// Judges a pipeline of at least two stages.
pub(super) fn pipeline(judge: &mut Judge, stages: &[Command]) {
    for (at, stage) in stages.iter().enumerate().skip(1) {
        // no more than this far back, so that a long pipeline stays linear
        let before = &stages[at.saturating_sub(256)..at];
        let name = stage.program();
        if runs_input(stage, &name) {
            fed(judge, stage, before);
        }
        if network::sends(&name) || matches!(name.as_str(), "dig" | "nslookup" | "host") {
            sent(judge, stage, before);
        }
        if stage.appended {
            listed(judge, stage, before);
        }
        if name == "crontab" {
            let message = "replaces the table of timed jobs".to_owned();
            judge.report(ShellKind::Persistence, Level::Blocked, message, stage);
        }
        if matches!(name.as_str(), "at" | "batch") {
            let message = "plans a command to run later".to_owned();
            judge.report(ShellKind::Persistence, Level::High, message, stage);
        }
        if matches!(name.as_str(), "tee" | "cat" | "dd") && decoded(before) {
            for word in stage.operands() {
                let base = word.text.rsplit('/').next().unwrap_or_default();
                judge
                    .fetched
                    .insert(base.trim_start_matches("of=").to_owned());
            }
        }
    }
    if let Some(last) = stages.last()
        && (decoded(stages)
            || stages
                .iter()
                .any(|stage| network::fetches(&stage.program())))
    {
        for redirect in last.redirects.iter().filter(|redirect| redirect.writes()) {
            let base = redirect.target.text.rsplit('/').next().unwrap_or_default();
            judge.fetched.insert(base.to_owned());
        }
    }
}

pub(super) fn decoded(stages: &[Command]) -> bool {
    stages.iter().any(|stage| {
        let name = stage.program();
        matches!(
            name.as_str(),
            "base64" | "base32" | "xxd" | "openssl" | "uudecode"
        ) && (stage.has(&["-d", "-D", "--decode", "-di"]) || stage.has_letter('r'))
    })
}

/// Whether the command runs what it reads on standard input.
fn runs_input(stage: &Command, name: &str) -> bool {
    if matches!(name, "source" | ".") {
        return stage.operands().any(|word| word.text.starts_with("/dev/"));
    }
    if stage.appended && stage.operands().next().is_some() && !is_shell(name) {
        return false;
    }
    if !is_shell(name) && !is_interpreter(name) {
        return false;
    }
    if stage.has(&["-c", "-e", "-m", "-lc"]) && !stage.appended {
        return false;
    }
    // `bash -s -- args` and `python -` read their code; `bash file.sh` reads a file
    stage.has(&["-s", "-", "/dev/stdin", "-s-"])
        || stage.operands().next().is_none()
        || stage.appended
}

fn fed(judge: &mut Judge, stage: &Command, before: &[Command]) {
    let name = stage.program();
    if before
        .iter()
        .any(|command| network::fetches(&command.program()))
    {
        let message = format!("runs what it downloads: pipes it into `{name}`");
        judge.report(ShellKind::DownloadRun, Level::Blocked, message, stage);
        return;
    }
    let remote = ["nc", "ncat", "netcat", "telnet", "socat", "openssl"];
    if before
        .iter()
        .any(|c| remote.contains(&c.program().as_str()) && !c.has(&["enc", "base64"]))
    {
        let message = format!("lets whoever is at the other end type into `{name}`");
        judge.report(ShellKind::ReverseShell, Level::Blocked, message, stage);
        return;
    }
    if before.iter().any(|c| {
        c.words
            .iter()
            .chain(c.redirects.iter().map(|r| &r.target))
            .any(|w| judge.pipes.contains(&w.text))
    }) {
        let message = format!("feeds `{name}` from a named pipe");
        judge.report(ShellKind::ReverseShell, Level::High, message, stage);
    }
    if let Some(text) = fold::pipeline(before)
        && is_shell(&name)
        && !text.contains(HOLE)
    {
        if decoded(before) {
            let message = format!("runs text that it decodes first: pipes it into `{name}`");
            judge.report(ShellKind::DecodeRun, Level::High, message, stage);
        }
        judge.nest(&text, stage);
        return;
    }
    if before
        .iter()
        .any(|command| DECODERS.contains(&command.program().as_str()))
    {
        let message = format!("runs text that it decodes first: pipes it into `{name}`");
        judge.report(ShellKind::DecodeRun, Level::Blocked, message, stage);
        return;
    }
    let message = format!("runs what other commands print: pipes it into `{name}`");
    judge.report(ShellKind::Dynamic, Level::High, message, stage);
}

fn sent(judge: &mut Judge, stage: &Command, before: &[Command]) {
    let name = stage.program();
    if before.iter().any(access::reads_secret) {
        let message = format!("sends keys, passwords or tokens out: pipes them into `{name}`");
        judge.report(ShellKind::Exfiltration, Level::Blocked, message, stage);
        return;
    }
    let broad = before.iter().any(|command| {
        matches!(
            command.program().as_str(),
            "tar" | "zip" | "find" | "cat" | "7z" | "cpio"
        ) && command.operands().any(|word| {
            matches!(
                stake(&word.text),
                Stake::Home | Stake::Root | Stake::System | Stake::BelowHome
            )
        })
    });
    let level = if broad { Level::Blocked } else { Level::High };
    // reading what was fetched (`curl a | curl b`) is still sending
    let message = format!("sends what other commands print out: pipes it into `{name}`");
    judge.report(ShellKind::Exfiltration, level, message, stage);
}

/// `find ~ | xargs rm -rf`: the deletion is judged by what was listed.
fn listed(judge: &mut Judge, stage: &Command, before: &[Command]) {
    let mut words = stage.words.clone();
    for command in before {
        match command.program().as_str() {
            "find" => words.extend(roots(command)),
            "ls" | "echo" | "printf" => words.extend(command.operands().cloned()),
            _ => {}
        }
    }
    if words.len() == stage.words.len() {
        return;
    }
    let filtered = before.iter().any(|command| {
        super::super::nested::is_filtered(command)
            || matches!(command.program().as_str(), "grep" | "head" | "tail")
    });
    if filtered {
        return;
    }
    let judged = Command {
        words,
        appended: false,
        ..stage.clone()
    };
    judge.command(judged);
}
