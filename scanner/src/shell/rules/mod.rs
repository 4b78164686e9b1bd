//! The shell rules, one file for each promise. Each looks at one expanded command or one pipeline, and reports.

mod access;
mod delete;
mod disk;
mod network;
mod persist;
mod pipes;
mod system;
mod table;
mod whole;

use std::ops::Range;

use super::ShellKind;
use super::state::Judge;
use super::word::Command;
use crate::Level;

/// Judges one command that has no prefix any more.
pub(super) fn command(judge: &mut Judge, command: &Command) {
    delete::command(judge, command);
    disk::command(judge, command);
    network::command(judge, command);
    persist::command(judge, command);
    access::command(judge, command);
    system::command(judge, command);
    table::command(judge, command);
    unknown(judge, command);
}

/// Judges commands whose output flows into the next.
pub(super) fn pipeline(judge: &mut Judge, stages: &[Command]) {
    pipes::pipeline(judge, stages);
}

/// Judges what can only be seen in the text as a whole.
pub(super) fn text(judge: &mut Judge, text: &str) {
    whole::text(judge, text);
}

/// Judges an assignment.
pub(super) fn assigned(judge: &mut Judge, name: &str, value: &str, range: Range<usize>) {
    let at = Command {
        start: range.start,
        end: range.end,
        ..Command::default()
    };
    match name {
        "HISTFILE" if value.is_empty() || value == "/dev/null" => {
            judge.report(
                ShellKind::Traces,
                Level::High,
                "turns the shell's history off".to_owned(),
                &at,
            );
        }
        "HISTSIZE" | "HISTFILESIZE" if value == "0" => {
            judge.report(
                ShellKind::Traces,
                Level::High,
                "turns the shell's history off".to_owned(),
                &at,
            );
        }
        "LD_PRELOAD" | "DYLD_INSERT_LIBRARIES" | "PROMPT_COMMAND" | "BASH_ENV" | "LD_AUDIT" => {
            let message = format!("sets `{name}`, which loads code into other programs");
            judge.report(ShellKind::Persistence, Level::High, message, &at);
        }
        "PYTHONSTARTUP" | "GIT_SSH_COMMAND" | "PERL5OPT" | "NODE_OPTIONS" => {
            let message = format!("sets `{name}`, which makes other programs run code");
            judge.report(ShellKind::Persistence, Level::Medium, message, &at);
        }
        _ => {}
    }
}

/// Judges a function definition: one that calls itself twice in the background is a fork bomb.
pub(super) fn function(judge: &mut Judge, name: &str, body: &str, range: Range<usize>) {
    let Some((_, inside)) = body.split_once('{') else {
        return;
    };
    let background = inside.contains('&') && inside.replace("&&", "").contains('&');
    let calls = inside
        .split(|c: char| c.is_whitespace() || matches!(c, '|' | '&' | ';' | '{' | '}' | '(' | ')'))
        .filter(|word| *word == name)
        .count();
    if background && calls >= 1 && (calls >= 2 || inside.contains('|')) {
        let at = Command {
            start: range.start,
            end: range.end,
            ..Command::default()
        };
        let message =
            format!("fork bomb: `{name}` starts itself again in the background without end");
        judge.report(ShellKind::Exhaustion, Level::Blocked, message, &at);
    }
}

/// A program whose name cannot be known, or is a path pattern.
fn unknown(judge: &mut Judge, command: &Command) {
    let Some(first) = command.words.first() else {
        return;
    };
    if command.appended && command.words.len() == 1 && first.text == super::HOLE.to_string() {
        return;
    }
    if first.text.chars().all(|c| c == super::HOLE) && first.substitutions.is_empty() {
        let message = format!("runs a program that cannot be known (`{}`)", command.line());
        judge.report(ShellKind::Dynamic, Level::High, message, command);
    } else if first.text.contains(super::HOLE) && !first.substitutions.is_empty() && !first.process
    {
        let message = format!(
            "runs a program whose name is computed (`{}`)",
            command.line()
        );
        judge.report(ShellKind::Dynamic, Level::High, message, command);
    } else if first.glob && first.text.contains(['?', '*']) && first.text.contains('/') {
        let message = format!("hides the program behind the pattern `{}`", first.text);
        judge.report(ShellKind::Dynamic, Level::High, message, command);
    }
}
