//! Follows commands that run text: `sh -c`, `eval`, `trap`, `find -exec`, `awk 'system(...)'`, code in other languages.
//! It queues the text; the judge decides how deep to go.

use regex::Regex;
use std::sync::LazyLock;

use super::state::Judge;
use super::word::{Command, Word};
use super::{HOLE, ShellKind};
use crate::Level;

/// Programs that run shell text.
pub(super) const SHELLS: [&str; 14] = [
    "sh",
    "bash",
    "dash",
    "zsh",
    "ksh",
    "ash",
    "fish",
    "csh",
    "tcsh",
    "mksh",
    "rbash",
    "pwsh",
    "powershell",
    "cmd",
];

/// Programs that run code of another language given as text or on standard input.
pub(super) const INTERPRETERS: [&str; 12] = [
    "python", "python2", "python3", "perl", "ruby", "node", "nodejs", "php", "lua", "deno", "bun",
    "pypy3",
];

/// Whether a program is a shell, also as `bash5` or `python3.11`.
pub(super) fn is_shell(name: &str) -> bool {
    SHELLS.contains(&trimmed(name))
}

/// Whether a program is an interpreter of another language.
pub(super) fn is_interpreter(name: &str) -> bool {
    INTERPRETERS.contains(&name) || INTERPRETERS.contains(&trimmed(name))
}

fn trimmed(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'))
}

/// Queues every text that the command would run.
pub(super) fn follow(judge: &mut Judge, command: &Command) {
    let name = command.program();
    match name.as_str() {
        "eval" => {
            let text = join(command.arguments());
            judge.nest(&text, command);
            return;
        }
        "trap" | "watch" | "su" | "runuser" | "script" | "flock" | "ssh" | "at" | "hyperfine" => {
            runs_text(judge, command, &name);
            return;
        }
        "find" => {
            exec(judge, command);
            return;
        }
        "awk" | "gawk" | "mawk" | "nawk" | "vim" | "vi" | "nvim" | "ex" | "tar" | "git" | "gdb"
        | "sed" | "expect" | "tclsh" | "make" | "rsync" | "man" | "zip" | "osascript" => {
            embedded(judge, command);
        }
        _ => {}
    }
    if is_shell(&name) {
        shell(judge, command);
    } else if is_interpreter(&name) {
        interpreter(judge, command);
    }
}

fn join(words: &[Word]) -> String {
    words
        .iter()
        .map(|word| word.text.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

fn shell(judge: &mut Judge, command: &Command) {
    let windows = matches!(command.program().as_str(), "cmd" | "powershell" | "pwsh");
    let code = command.arguments().iter().position(|word| {
        let text = word.text.as_str();
        if windows && text.to_ascii_lowercase().starts_with("-e") {
            return false;
        }
        matches!(
            text,
            "/c" | "/C" | "/k" | "-Command" | "-command" | "--command"
        ) || (text.starts_with('-')
            && !text.starts_with("--")
            && text.ends_with('c')
            && text.len() <= 6)
    });
    if let Some(at) = code {
        let rest = &command.arguments()[at + 1..];
        let Some(first) = rest.first() else { return };
        let text = if windows {
            join(rest)
        } else {
            first.text.clone()
        };
        if text.chars().all(|c| c == HOLE) && !text.is_empty() && first.substitutions.is_empty() {
            let message = format!(
                "runs shell text that cannot be known (`{}`)",
                command.line()
            );
            judge.report(ShellKind::Dynamic, Level::High, message, command);
        }
        let arguments = if windows {
            Vec::new()
        } else {
            rest[1..].iter().map(|word| word.text.clone()).collect()
        };
        judge.nest_with(&text, arguments, command);
        return;
    }
    // `bash <(echo ...)`: the script is what the other command prints.
    let printed = command
        .arguments()
        .iter()
        .filter(|word| word.process)
        .find_map(|word| super::fold::output(word.substitutions.first()?, &judge.scope, 1));
    if let Some(printed) = printed {
        judge.nest(&printed, command);
    }
    if let Some(encoded) = command.value_of(&["-EncodedCommand", "-enc", "-e", "-ec"])
        && command.program().starts_with('p')
    {
        let message = "runs an encoded PowerShell command".to_owned();
        judge.report(ShellKind::DecodeRun, Level::Blocked, message, command);
        let bytes = super::fold::base64(&encoded.text);
        let text: String = bytes
            .iter()
            .filter(|b| **b != 0)
            .map(|b| char::from(*b))
            .collect();
        judge.nest(&text, command);
    }
    if let Some(stdin) = &command.stdin {
        judge.nest(stdin, command);
    }
}

fn runs_text(judge: &mut Judge, command: &Command, name: &str) {
    let text = match name {
        "trap" => command.operands().next().map(|word| word.text.clone()),
        "watch" | "hyperfine" => Some(join(&command.operands().cloned().collect::<Vec<_>>())),
        "at" => command.stdin.clone(),
        "ssh" => {
            for word in command.arguments() {
                let option = word.text.trim_start_matches("-o");
                if let Some((name, text)) = option.split_once(['=', ' '])
                    && matches!(
                        name.to_ascii_lowercase().as_str(),
                        "proxycommand" | "localcommand" | "knownhostscommand"
                    )
                {
                    judge.nest(text, command);
                }
            }
            let operands: Vec<Word> = command.operands().skip(1).cloned().collect();
            (!operands.is_empty()).then(|| join(&operands))
        }
        // `script -qc TEXT`: letters may stand together.
        _ => command
            .arguments()
            .iter()
            .position(|word| {
                word.text == "--command"
                    || word.text.starts_with('-')
                        && !word.text.starts_with("--")
                        && word.text.ends_with('c')
            })
            .and_then(|at| command.arguments().get(at + 1))
            .map(|word| word.text.clone()),
    };
    if let Some(text) = text {
        judge.nest(&text, command);
    }
}

/// `find ROOTS -exec COMMAND ;` with the roots in place of `{}`.
fn exec(judge: &mut Judge, command: &Command) {
    let arguments = command.arguments();
    let roots: Vec<Word> = roots(command);
    let filtered = is_filtered(command);
    for (at, word) in arguments.iter().enumerate() {
        if !matches!(word.text.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir") {
            continue;
        }
        let mut words: Vec<Word> = Vec::new();
        for word in arguments[at + 1..]
            .iter()
            .take_while(|w| !matches!(w.text.as_str(), ";" | "+"))
        {
            if word.text == "{}" {
                // what is found lies below the root; without a filter the root itself is among it
                words.extend(
                    roots
                        .iter()
                        .map(|root| if filtered { below(root) } else { root.clone() }),
                );
            } else {
                words.push(Word {
                    text: word.text.replace("{}", &HOLE.to_string()),
                    ..word.clone()
                });
            }
        }
        let inner = Command {
            words,
            start: command.start,
            end: command.end,
            ..Command::default()
        };
        judge.command(inner);
    }
}

fn below(root: &Word) -> Word {
    Word {
        text: format!("{}/{HOLE}/{HOLE}", root.text.trim_end_matches('/')),
        ..root.clone()
    }
}

/// Whether `find` is told which files it is about.
pub(super) fn is_filtered(command: &Command) -> bool {
    let all = |word: &Word| matches!(word.text.as_str(), "*" | "*.*");
    let named = command
        .arguments()
        .windows(2)
        .any(|pair| matches!(pair[0].text.as_str(), "-name" | "-iname") && !all(&pair[1]));
    named
        || command.has(&[
            "-path",
            "-ipath",
            "-regex",
            "-iregex",
            "-mtime",
            "-atime",
            "-mmin",
            "-size",
            "-newer",
            "-empty",
            "-user",
            "-perm",
            "-wholename",
        ])
}

/// The folders that `find` starts from.
pub(super) fn roots(command: &Command) -> Vec<Word> {
    let roots: Vec<Word> = command
        .arguments()
        .iter()
        .skip_while(|word| matches!(word.text.as_str(), "-L" | "-H" | "-P"))
        .take_while(|word| !word.text.starts_with(['-', '(', '!']))
        .cloned()
        .collect();
    if roots.is_empty() {
        vec![Word::literal(".")]
    } else {
        roots
    }
}

static CALL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x) (?: \b(?:system|exec|execl|popen|passthru|shell_exec|execSync|spawnSync|spawn|qx|do\sshell\sscript|os\.execute)
            \s*[\(\{\s]\s* | ` | "\s*\| ) (?: "([^"]+)" | '([^']+)' | ([^`"'\)\}]+) )"#,
    )
    .ok()
});

/// Shell text inside another language's text: `system("...")`, backticks, `:!cmd`, `!cmd`.
fn embedded(judge: &mut Judge, command: &Command) {
    let mut texts: Vec<String> = Vec::new();
    for word in command.arguments() {
        texts.extend(shell_in(&word.text));
        for mark in [":!", "=!", "exec=", "--eval=", "-c!", "!exec "] {
            if let Some((_, rest)) = word.text.split_once(mark) {
                texts.push(rest.to_owned());
            }
        }
        if command.program() == "gdb" {
            texts.extend(word.text.strip_prefix("shell ").map(str::to_owned));
        }
    }
    for text in texts {
        judge.nest(&text, command);
    }
}

fn shell_in(code: &str) -> Vec<String> {
    let Some(call) = CALL.as_ref() else {
        return Vec::new();
    };
    call.captures_iter(code)
        .take(20)
        .filter_map(|found| {
            found
                .get(1)
                .or_else(|| found.get(2))
                .or_else(|| found.get(3))
        })
        .map(|text| text.as_str().replace("\\\"", "\""))
        .collect()
}

/// `python -c`, `perl -e` and their like.
fn interpreter(judge: &mut Judge, command: &Command) {
    let name = command.program();
    let code = command
        .value_of(&["-c", "-e", "-E", "-r", "-ne", "-pe", "--eval", "-p"])
        .or_else(|| {
            command
                .arguments()
                .iter()
                .find(|word| word.text.contains(['(', ';']) && word.text.len() > 12)
        })
        .map(|word| word.text.clone())
        .or_else(|| command.stdin.clone());
    let Some(code) = code else { return };
    if speaks_to_stranger(&code) {
        let message = format!("`{name}` connects a shell to the network");
        judge.report(ShellKind::ReverseShell, Level::Blocked, message, command);
    }
    let unknown = code.contains(HOLE);
    let (level, what) = if unknown {
        (Level::High, "code that is not all known")
    } else {
        (Level::Medium, "code given on the command line")
    };
    judge.report(
        ShellKind::Dynamic,
        level,
        format!("`{name}` runs {what}"),
        command,
    );
    if name.starts_with("py") {
        python(judge, &code, command);
    } else if ["unlink", "rmtree", "rm_rf", "rmSync", "remove_tree"]
        .iter()
        .any(|f| code.contains(f))
    {
        let level = if code.contains('~') || code.contains("HOME") || code.contains("homedir") {
            Level::Blocked
        } else {
            Level::High
        };
        judge.report(
            ShellKind::Delete,
            level,
            format!("`{name}` deletes files"),
            command,
        );
    }
    for text in shell_in(&code) {
        judge.nest(&text, command);
    }
}

fn speaks_to_stranger(code: &str) -> bool {
    let network = [
        "socket",
        "TCPSocket",
        "fsockopen",
        "net.connect",
        "IO::Socket",
        "net.Socket",
    ];
    let shell = [
        "/bin/sh",
        "/bin/bash",
        "dup2",
        "pty.spawn",
        "subprocess",
        "exec(",
        "cmd.exe",
        "spawn(",
    ];
    network.iter().any(|word| code.contains(word)) && shell.iter().any(|word| code.contains(word))
}

/// Python inside shell text goes through the Python scanner; its worst finding counts.
fn python(judge: &mut Judge, code: &str, command: &Command) {
    let report = super::guarded_scan(code);
    if let Some(worst) = report.findings.iter().max_by_key(|finding| finding.level)
        && worst.level > Level::Medium
    {
        let message = format!("python code in it: {}", worst.message);
        judge.report(ShellKind::Dynamic, worst.level, message, command);
    }
}
