//! Talking to the network: fetching, sending, listening; secrets that leave; reverse shells in one command.

use super::super::ShellKind;
use super::super::nested::{is_interpreter, is_shell};
use super::super::paths::is_secret;
use super::super::split;
use super::super::state::Judge;
use super::super::word::{Command, Word};
use crate::Level;

const FETCHERS: [&str; 14] = [
    "curl",
    "wget",
    "wget2",
    "aria2c",
    "http",
    "https",
    "httpie",
    "fetch",
    "lynx",
    "lwp-request",
    "axel",
    "invoke-webrequest",
    "iwr",
    "xh",
];

const SENDERS: [&str; 20] = [
    "nc", "ncat", "netcat", "socat", "telnet", "scp", "sftp", "rsync", "rclone", "ftp", "tftp",
    "mail", "mailx", "sendmail", "mutt", "ssh", "openssl", "gsutil", "s3cmd", "irm",
];

/// Programs that send something by the name that they look up.
const LOOKUPS: [&str; 7] = [
    "dig",
    "nslookup",
    "host",
    "ping",
    "drill",
    "ping6",
    "resolvectl",
];

/// Whether a program fetches from the network.
pub(super) fn fetches(name: &str) -> bool {
    FETCHERS.contains(&name)
}

/// Whether a program can carry data out.
pub(super) fn sends(name: &str) -> bool {
    fetches(name) || SENDERS.contains(&name)
}

/// Whether the raw text of a substitution fetches from the network.
pub(super) fn substitution_fetches(judge: &Judge, word: &Word) -> bool {
    word.substitutions.iter().any(|inner| {
        split::pipelines(inner, &judge.scope, 5)
            .iter()
            .flatten()
            .any(|command| {
                fetches(&command.program()) || matches!(command.program().as_str(), "nc" | "ncat")
            })
    })
}

fn substitution_reads_secret(judge: &Judge, word: &Word) -> bool {
    word.substitutions.iter().any(|inner| {
        split::pipelines(inner, &judge.scope, 5)
            .iter()
            .flatten()
            .any(super::access::reads_secret)
    })
}

/// Judges network use.
pub(super) fn command(judge: &mut Judge, command: &Command) {
    let name = command.program();
    download_run(judge, command, &name);
    if super::pipes::decoded(std::slice::from_ref(command)) {
        keep(
            judge,
            command
                .redirects
                .iter()
                .filter(|r| r.writes())
                .map(|r| r.target.text.clone())
                .collect(),
        );
    }
    for redirect in &command.redirects {
        if redirect.target.text.starts_with("/dev/tcp/")
            || redirect.target.text.starts_with("/dev/udp/")
        {
            let (kind, what) = if is_shell(&name) || name == "exec" {
                (ShellKind::ReverseShell, "connects a shell to the network")
            } else {
                (
                    ShellKind::ReverseShell,
                    "opens a network connection from the shell",
                )
            };
            let message = format!(
                "{what} (`{}`)",
                redirect.target.text.replace(super::super::HOLE, "…")
            );
            judge.report(kind, Level::Blocked, message, command);
        }
    }
    if LOOKUPS.contains(&name.as_str()) {
        lookup(judge, command, &name);
    }
    if !sends(&name) {
        return;
    }
    listener(judge, command, &name);
    secrets_out(judge, command, &name);
    if name == "openssl" && !command.has(&["s_client"]) {
        return;
    }
    if name == "ssh" && command.has_letter('R') {
        let message = "opens a way back into this machine (`ssh -R`)".to_owned();
        judge.report(ShellKind::ReverseShell, Level::High, message, command);
    }
    let message = format!("talks to the network (`{}`)", command.line());
    judge.report(ShellKind::Network, Level::Medium, message, command);
    remember(judge, command, &name);
}

fn lookup(judge: &mut Judge, command: &Command, name: &str) {
    let secret = command
        .arguments()
        .iter()
        .any(|word| substitution_reads_secret(judge, word));
    let computed = command
        .arguments()
        .iter()
        .any(|word| !word.substitutions.is_empty());
    let (kind, level, what) = if secret {
        (
            ShellKind::Exfiltration,
            Level::Blocked,
            "sends a secret out in a name look-up",
        )
    } else if computed {
        (
            ShellKind::Exfiltration,
            Level::High,
            "sends computed text out in a name look-up",
        )
    } else {
        (ShellKind::Network, Level::Medium, "talks to the network")
    };
    judge.report(kind, level, format!("{what} (`{name}`)"), command);
}

fn listener(judge: &mut Judge, command: &Command, name: &str) {
    if matches!(name, "nc" | "ncat" | "netcat") {
        let runs = command.has_letter('e')
            || command.has_letter('c')
            || command.has(&["--exec", "--sh-exec", "--lua-exec"])
            || command
                .arguments()
                .iter()
                .any(|w| w.text.starts_with("--exec=") || w.text.starts_with("--sh-exec="));
        let piped = command
            .redirects
            .iter()
            .any(|r| judge.pipes.contains(&r.target.text));
        if runs || piped {
            let message = format!(
                "hands a program to whoever is at the other end (`{}`)",
                command.line()
            );
            judge.report(ShellKind::ReverseShell, Level::Blocked, message, command);
        } else {
            let message = format!("opens a raw network connection (`{}`)", command.line());
            judge.report(ShellKind::Network, Level::High, message, command);
        }
    }
    if name == "socat" {
        let runs = command.arguments().iter().any(|word| {
            let text = word.text.to_ascii_lowercase();
            text.starts_with("exec:") || text.starts_with("system:") || text.starts_with("shell:")
        });
        let level = if runs { Level::Blocked } else { Level::High };
        let message = format!("connects a program to the network (`{}`)", command.line());
        judge.report(ShellKind::ReverseShell, level, message, command);
    }
}

fn secrets_out(judge: &mut Judge, command: &Command, name: &str) {
    let carried = |word: &Word| {
        let text = word.text.as_str();
        let value = text
            .rsplit_once(['@', '=', '<'])
            .map_or(text, |(_, value)| value);
        is_secret(text) || is_secret(value)
    };
    // the key that logs `ssh -i` in is used, not sent
    let identity = command.value_of(&["-i"]).map(|word| word.text.clone());
    let login = matches!(name, "ssh" | "scp" | "sftp" | "rsync");
    let secret = command
        .arguments()
        .iter()
        .filter(|word| !(login && identity.as_deref() == Some(word.text.as_str())))
        .any(|word| carried(word) || substitution_reads_secret(judge, word))
        || command
            .redirects
            .iter()
            .any(|r| r.operator.starts_with('<') && is_secret(&r.target.text));
    if secret {
        let message = format!("sends keys, passwords or tokens out (`{}`)", command.line());
        judge.report(ShellKind::Exfiltration, Level::Blocked, message, command);
        return;
    }
    let upload = command
        .arguments()
        .iter()
        .any(|word| word.text.contains('@') && !word.text.contains("://") && fetches(name))
        || command.has(&["-T", "--upload-file", "--post-file"])
        || command
            .arguments()
            .iter()
            .any(|word| word.text.starts_with("--post-file="));
    if upload {
        let message = format!("sends a file out (`{}`)", command.line());
        judge.report(ShellKind::Exfiltration, Level::Medium, message, command);
    } else if command
        .arguments()
        .iter()
        .any(|word| !word.substitutions.is_empty() && !word.is_known())
    {
        let message = format!("sends the output of a command out (`{}`)", command.line());
        judge.report(ShellKind::Exfiltration, Level::High, message, command);
    }
}

/// Notes which files now hold what came from the network.
fn remember(judge: &mut Judge, command: &Command, name: &str) {
    if !fetches(name) {
        return;
    }
    let mut files: Vec<String> = Vec::new();
    for option in [
        "-o",
        "-O",
        "--output",
        "--output-document",
        "--out",
        "-OutFile",
    ] {
        files.extend(command.value_of(&[option]).map(|word| word.text.clone()));
    }
    for word in command.arguments() {
        for prefix in ["-o", "-O", "--output=", "--output-document="] {
            files.extend(
                word.text
                    .strip_prefix(prefix)
                    .filter(|r| !r.is_empty())
                    .map(str::to_owned),
            );
        }
        if word.text.contains("://") || word.text.contains('.') {
            files.push(word.text.clone());
        }
    }
    files.extend(
        command
            .redirects
            .iter()
            .filter(|r| r.writes())
            .map(|r| r.target.text.clone()),
    );
    keep(judge, files);
}

fn keep(judge: &mut Judge, files: Vec<String>) {
    for file in files.into_iter().take(32) {
        let file = file.split(['?', '#']).next().unwrap_or_default();
        if let Some(base) = file
            .rsplit('/')
            .next()
            .filter(|base| !matches!(*base, "" | "-"))
        {
            judge.fetched.insert(base.to_owned());
        }
    }
}

/// A shell or an interpreter that runs what was fetched.
fn download_run(judge: &mut Judge, command: &Command, name: &str) {
    let runner = is_shell(name) || is_interpreter(name) || matches!(name, "eval" | "source" | ".");
    let direct = command
        .words
        .first()
        .is_some_and(|word| substitution_fetches(judge, word));
    let text = command
        .arguments()
        .iter()
        .any(|word| substitution_fetches(judge, word));
    let input = command
        .redirects
        .iter()
        .any(|r| r.operator.starts_with('<') && substitution_fetches(judge, &r.target));
    if direct || (runner && (text || input)) {
        let message = format!("runs what it downloads (`{}`)", command.line());
        judge.report(ShellKind::DownloadRun, Level::Blocked, message, command);
        return;
    }
    let base = |word: &Word| word.text.rsplit('/').next().unwrap_or_default().to_owned();
    let started = command.words.first().is_some_and(|word| {
        (word.text.contains('/') || !word.text.contains("://"))
            && judge.fetched.contains(&base(word))
    });
    let handed = runner
        && command
            .operands()
            .any(|word| judge.fetched.contains(&base(word)));
    let fed = runner
        && command
            .redirects
            .iter()
            .any(|r| judge.fetched.contains(&base(&r.target)));
    if started || handed || fed {
        let message = format!(
            "runs a file that it has downloaded or decoded before (`{}`)",
            command.line()
        );
        judge.report(ShellKind::DownloadRun, Level::Blocked, message, command);
    }
}
