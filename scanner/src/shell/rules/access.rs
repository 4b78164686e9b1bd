//! Reading keys, passwords and tokens, and removing the traces of what was done.

use super::super::ShellKind;
use super::super::paths::{is_secret, is_trace};
use super::super::state::Judge;
use super::super::word::Command;
use crate::Level;

/// Programs that only look at names or rights, or at code, not at content.
const LOOKERS: [&str; 22] = [
    "ls",
    "stat",
    "test",
    "[",
    "cd",
    "mkdir",
    "touch",
    "chmod",
    "chown",
    "echo",
    "printf",
    "rm",
    "ssh-keygen",
    "du",
    "find",
    "git",
    "file",
    "tee",
    "ssh-add",
    "which",
    "ssh",
    "export",
];

/// Commands whose output is secret: program and one of these arguments (none: always).
const PRINTERS: [(&str, &[&str]); 17] = [
    ("env", &[]),
    ("printenv", &[]),
    (
        "security",
        &[
            "find-generic-password",
            "find-internet-password",
            "dump-keychain",
            "export",
        ],
    ),
    ("secret-tool", &["lookup", "search"]),
    ("pass", &["show"]),
    ("gpg", &["--export-secret-keys", "--export-secret-subkeys"]),
    (
        "aws",
        &[
            "get-session-token",
            "get-secret-value",
            "export-credentials",
        ],
    ),
    ("gcloud", &["print-access-token", "print-identity-token"]),
    ("az", &["get-access-token"]),
    ("gh", &["token"]),
    ("kubectl", &["secret", "secrets"]),
    ("vault", &["read", "get"]),
    ("op", &["read", "get"]),
    ("bw", &["get", "export"]),
    ("history", &[]),
    ("mimikatz", &[]),
    ("keyctl", &["print", "read", "pipe"]),
];

/// Whether the command prints keys, passwords, tokens or the whole environment.
pub(super) fn reads_secret(command: &Command) -> bool {
    let name = command.program();
    let printed = PRINTERS.iter().any(|(program, words)| {
        *program == name
            && (words.is_empty() && command.operands().next().is_none() || command.has(words))
    });
    let declared = matches!(name.as_str(), "set" | "export" | "declare")
        && command.arguments().iter().all(|word| word.text == "-p");
    printed || declared || reads_secret_file(command, &name)
}

fn reads_secret_file(command: &Command, name: &str) -> bool {
    if LOOKERS.contains(&name) {
        return command
            .redirects
            .iter()
            .any(|r| r.operator == "<" && is_secret(&r.target.text));
    }
    command.operands().any(|word| is_secret(&word.text))
        || command
            .redirects
            .iter()
            .any(|r| r.operator.starts_with('<') && is_secret(&r.target.text))
}

/// Judges reading of secrets and removal of traces.
pub(super) fn command(judge: &mut Judge, command: &Command) {
    let name = command.program();
    if reads_secret_file(command, &name) {
        let message = format!("reads keys, passwords or tokens (`{}`)", command.line());
        judge.report(ShellKind::SecretRead, Level::High, message, command);
    } else if reads_secret(command) {
        let quiet = matches!(
            name.as_str(),
            "env" | "printenv" | "history" | "set" | "export" | "declare"
        );
        let level = if quiet { Level::Medium } else { Level::High };
        let message = format!("prints what may hold secrets (`{}`)", command.line());
        judge.report(ShellKind::SecretRead, level, message, command);
    }
    traces(judge, command, &name);
}

fn traces(judge: &mut Judge, command: &Command, name: &str) {
    let deletes = matches!(name, "rm" | "shred" | "truncate" | "ln" | "unlink");
    let hit = (name == "history" && (command.has_letter('c') || command.has_letter('w')))
        || (name == "unset" && command.has(&["HISTFILE", "HISTSIZE"]))
        || (name == "set" && command.has(&["+o"]) && command.has(&["history"]))
        || (name == "journalctl"
            && command
                .arguments()
                .iter()
                .any(|w| w.text.starts_with("--vacuum")))
        || matches!(name, "wevtutil" | "clear-eventlog" | "auditctl")
        || (deletes && command.operands().any(|word| is_trace(&word.text)))
        || command
            .redirects
            .iter()
            .any(|r| r.truncates() && is_trace(&r.target.text));
    if hit {
        let message = format!("removes the traces of what was run (`{}`)", command.line());
        judge.report(ShellKind::Traces, Level::High, message, command);
    }
}
