//! Takes away what stands in front of the real command: `sudo`, `env`, `nohup`, `timeout`, `busybox`, `xargs` ...
//! Reports the prefixes that matter by themselves, and judges nothing else.

use super::ShellKind;
use super::split;
use super::state::Judge;
use super::word::{Command, Word};
use crate::Level;

/// A program that runs the command which follows it.
struct Prefix {
    name: &'static str,
    /// Options that take the next word as their value.
    valued: &'static [&'static str],
    /// Words before the command that are not options: a time, a mask, a folder.
    operands: usize,
}

const PREFIXES: [Prefix; 34] = [
    Prefix {
        name: "sudo",
        valued: &["-u", "-g", "-p", "-C", "-h", "-r", "-t", "-U", "-D"],
        operands: 0,
    },
    Prefix {
        name: "doas",
        valued: &["-u", "-C"],
        operands: 0,
    },
    Prefix {
        name: "pkexec",
        valued: &["--user"],
        operands: 0,
    },
    Prefix {
        name: "env",
        valued: &["-u", "-C", "--unset", "--chdir"],
        operands: 0,
    },
    Prefix {
        name: "nohup",
        valued: &[],
        operands: 0,
    },
    Prefix {
        name: "timeout",
        valued: &["-s", "-k", "--signal", "--kill-after"],
        operands: 1,
    },
    Prefix {
        name: "nice",
        valued: &["-n"],
        operands: 0,
    },
    Prefix {
        name: "ionice",
        valued: &["-c", "-n"],
        operands: 0,
    },
    Prefix {
        name: "stdbuf",
        valued: &["-o", "-i", "-e"],
        operands: 0,
    },
    Prefix {
        name: "setsid",
        valued: &[],
        operands: 0,
    },
    Prefix {
        name: "time",
        valued: &["-f", "-o"],
        operands: 0,
    },
    Prefix {
        name: "command",
        valued: &[],
        operands: 0,
    },
    Prefix {
        name: "builtin",
        valued: &[],
        operands: 0,
    },
    Prefix {
        name: "exec",
        valued: &["-a"],
        operands: 0,
    },
    Prefix {
        name: "busybox",
        valued: &[],
        operands: 0,
    },
    Prefix {
        name: "toybox",
        valued: &[],
        operands: 0,
    },
    Prefix {
        name: "chroot",
        valued: &[],
        operands: 1,
    },
    Prefix {
        name: "unshare",
        valued: &[],
        operands: 0,
    },
    Prefix {
        name: "nsenter",
        valued: &["-t"],
        operands: 0,
    },
    Prefix {
        name: "strace",
        valued: &["-o", "-e", "-p"],
        operands: 0,
    },
    Prefix {
        name: "ltrace",
        valued: &["-o", "-e", "-p"],
        operands: 0,
    },
    Prefix {
        name: "taskset",
        valued: &[],
        operands: 1,
    },
    Prefix {
        name: "chrt",
        valued: &[],
        operands: 1,
    },
    Prefix {
        name: "caffeinate",
        valued: &[],
        operands: 0,
    },
    Prefix {
        name: "proxychains",
        valued: &["-f"],
        operands: 0,
    },
    Prefix {
        name: "proxychains4",
        valued: &["-f"],
        operands: 0,
    },
    Prefix {
        name: "torsocks",
        valued: &[],
        operands: 0,
    },
    Prefix {
        name: "torify",
        valued: &[],
        operands: 0,
    },
    Prefix {
        name: "catchsegv",
        valued: &[],
        operands: 0,
    },
    Prefix {
        name: "unbuffer",
        valued: &[],
        operands: 0,
    },
    Prefix {
        name: "xargs",
        valued: &["-n", "-I", "-P", "-d", "-L", "-s", "-a", "-E"],
        operands: 0,
    },
    Prefix {
        name: "parallel",
        valued: &["-j", "-n", "-a"],
        operands: 0,
    },
    Prefix {
        name: "setarch",
        valued: &[],
        operands: 1,
    },
    Prefix {
        name: "fakeroot",
        valued: &[],
        operands: 0,
    },
];

/// Removes prefixes, at most 16 of them, and reports the ones that ask for more rights.
pub(super) fn peel(judge: &mut Judge, mut command: Command) -> Command {
    for _ in 0..16 {
        let name = command.program();
        if name.starts_with("ld-linux") || name.starts_with("ld-musl") {
            if command.arguments().is_empty() {
                return command;
            }
            command.words.remove(0);
            continue;
        }
        let Some(prefix) = PREFIXES.iter().find(|prefix| prefix.name == name) else {
            return command;
        };
        if name == "command" && command.has(&["-v", "-V"]) {
            return command;
        }
        if matches!(name.as_str(), "sudo" | "doas" | "pkexec") {
            let message = format!("asks for the rights of root (`{}`)", command.line());
            judge.report(ShellKind::Privilege, Level::High, message, &command);
        }
        if matches!(name.as_str(), "nsenter") {
            let message = format!("enters another namespace (`{}`)", command.line());
            judge.report(ShellKind::Privilege, Level::High, message, &command);
        }
        if name == "env" && split_string(judge, &command) {
            return command;
        }
        let skip = length(prefix, &command.words, name == "env");
        if skip >= command.words.len() {
            // a prefix with nothing behind it (`env`, `time`) is a command of its own
            return command;
        }
        command.words.drain(..skip);
        command.appended |= matches!(prefix.name, "xargs" | "parallel");
    }
    command
}

/// How many words the prefix and its options take.
fn length(prefix: &Prefix, words: &[Word], assignments: bool) -> usize {
    let mut at = 1;
    let mut operands = prefix.operands;
    while let Some(word) = words.get(at) {
        let text = word.text.as_str();
        if text == "--" {
            return at + 1;
        }
        if text.len() > 1 && text.starts_with('-') {
            at += if prefix.valued.contains(&text) { 2 } else { 1 };
        } else if assignments && split::assignment(text).is_some() {
            at += 1;
        } else if operands > 0 {
            operands -= 1;
            at += 1;
        } else {
            return at;
        }
    }
    at
}

/// `env -S "command line"`.
fn split_string(judge: &mut Judge, command: &Command) -> bool {
    let text = command
        .value_of(&["-S", "--split-string"])
        .map(|word| word.text.clone())
        .or_else(|| {
            command.arguments().iter().find_map(|word| {
                word.text
                    .strip_prefix("-S")
                    .filter(|rest| !rest.is_empty())
                    .map(str::to_owned)
            })
        });
    let Some(text) = text else { return false };
    judge.nest(&text, command);
    true
}
