//! Judges shell text by what it would do, over tree-sitter-bash and an own word expander. Pure, bounded, iterative.
//! It must not decide how a finding is shown, and must not trust the spelling of a command: words are expanded first.

mod expand;
mod fold;
mod lexer;
mod nested;
mod paths;
mod prefix;
mod rules;
mod split;
mod state;
mod syntax;
mod word;

use crate::Level;

/// Stands for text that the caller could not know (an f-string's value, say) inside shell text.
pub const HOLE: char = '\u{FFFC}';

/// What a piece of shell text is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShellKind {
    /// Deletes or overwrites files.
    Delete,
    /// Writes to a block device or makes a file system.
    Disk,
    /// Runs what it has just downloaded.
    DownloadRun,
    /// Runs text that it decodes first.
    DecodeRun,
    /// Hands a shell to somebody else.
    ReverseShell,
    /// Changes the rights or owners of files.
    Permissions,
    /// Multiplies processes or fills memory or disk without end.
    Exhaustion,
    /// Arranges to be run again, or to let somebody in.
    Persistence,
    /// Reads keys, passwords or tokens.
    SecretRead,
    /// Sends keys, passwords, tokens or files out.
    Exfiltration,
    /// Asks for rights that the program does not have.
    Privilege,
    /// Ends processes or the machine.
    Kill,
    /// Removes traces: histories, logs.
    Traces,
    /// Installs software.
    Install,
    /// Turns protection off: firewall, mandatory access control.
    Protection,
    /// Starts, changes or deletes containers.
    Container,
    /// Changes what others share: a remote repository, cloud resources, a database.
    Remote,
    /// Talks to the network.
    Network,
    /// Runs code in another language, or a command that cannot be known.
    Dynamic,
    /// Mines cryptocurrency.
    Mining,
    /// The text was too large or nested too deeply to be judged to its end.
    Limit,
}

/// One thing that shell text is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellFinding {
    /// What it is.
    pub kind: ShellKind,
    /// What is at stake.
    pub level: Level,
    /// One sentence about this very command.
    pub message: String,
    /// First byte of the command in the judged text; for [`judge_argv`] the index of the first argument.
    pub start: usize,
    /// Byte after the command; for [`judge_argv`] the index after the last argument.
    pub end: usize,
}

/// Judges shell text. Parts that are not known are written as [`HOLE`].
#[must_use]
pub fn judge(text: &str) -> Vec<ShellFinding> {
    let mut judge = state::Judge::default();
    judge.text(text);
    judge.finish()
}

/// Judges a program and its arguments that no shell expands first; `None` is an argument that is not known.
#[must_use]
pub fn judge_argv(arguments: &[Option<&str>]) -> Vec<ShellFinding> {
    judge_argv_in(None, arguments)
}

/// The same for a program that is started in a folder, if it is known.
#[must_use]
pub(crate) fn judge_argv_in(folder: Option<&str>, arguments: &[Option<&str>]) -> Vec<ShellFinding> {
    let mut judge = state::Judge::default();
    judge.starts_in(folder);
    judge.argv(arguments);
    judge.finish()
}

/// The words of a command line, with quotes taken away and nothing expanded but what stands in the text itself.
pub(crate) fn words(text: &str) -> Vec<String> {
    split::command(text, &expand::Scope::default(), 0)
        .words
        .into_iter()
        .map(|word| word.text)
        .collect()
}

/// Python inside shell text is scanned in turn, but not without end.
fn guarded_scan(code: &str) -> crate::Report {
    use std::cell::Cell;
    thread_local!(static NESTED: Cell<u8> = const { Cell::new(0) });
    let depth = NESTED.get();
    if depth >= 3 {
        return crate::Report::default();
    }
    NESTED.set(depth + 1);
    let report = crate::scan(
        code,
        &crate::Options {
            max_steps: 200_000,
            ..crate::Options::default()
        },
    );
    NESTED.set(depth);
    report
}
