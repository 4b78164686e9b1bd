//! Splits shell text into pipelines of commands without a syntax tree: for substitutions, and for text that no
//! parser accepts. Keywords are dropped; it must never lose a command.

use super::expand::Scope;
use super::lexer::{Item, lex};
use super::word::Command;

/// Most commands that are taken from one text; more than the judge looks at, so that it says where it stopped.
const MAX_COMMANDS: usize = 20_010;

/// The pipelines of a text, each a list of commands. Positions are relative to the text.
pub(super) fn pipelines(text: &str, scope: &Scope, depth: u8) -> Vec<Vec<Command>> {
    let mut result = Vec::new();
    let mut current = Vec::new();
    for (start, end, piped) in segments(text).into_iter().take(MAX_COMMANDS) {
        let mut command = command(&text[start..end], scope, depth);
        command.start = start;
        command.end = end;
        if !command.words.is_empty() || !command.redirects.is_empty() {
            current.push(command);
        }
        if !piped && !current.is_empty() {
            result.push(std::mem::take(&mut current));
        }
    }
    if !current.is_empty() {
        result.push(current);
    }
    result
}

/// Expands one slice without separators into a command.
pub(super) fn command(slice: &str, scope: &Scope, depth: u8) -> Command {
    let mut command = Command::default();
    for item in lex(slice, scope, depth) {
        match item {
            Item::Word(word) => {
                if command.words.is_empty() {
                    if KEYWORDS.contains(&word.text.as_str()) {
                        continue;
                    }
                    if let Some((name, value)) = assignment(&word.text) {
                        command
                            .assignments
                            .push((name.to_owned(), value.to_owned()));
                        continue;
                    }
                }
                command.words.push(word);
            }
            Item::Redirect(redirect) => {
                if redirect.operator == "<<<" {
                    command.stdin = Some(redirect.target.text.clone());
                }
                command.redirects.push(redirect);
            }
        }
    }
    command
}

const KEYWORDS: [&str; 12] = [
    "then", "do", "else", "elif", "if", "while", "until", "{", "}", "!", "fi", "done",
];

/// `NAME=value` as an assignment.
pub(super) fn assignment(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let mut chars = name.chars();
    let first = chars.next()?;
    ((first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_'))
    .then_some((name, value))
}

/// Ranges between separators outside quotes and substitutions; whether a `|` follows.
fn segments(text: &str) -> Vec<(usize, usize, bool)> {
    let bytes = text.as_bytes();
    let mut result = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'\'' => at = skip_to(bytes, at + 1, b'\''),
            b'"' => at = double(bytes, at + 1),
            b'`' => at = skip_to(bytes, at + 1, b'`'),
            b'$' | b'<' | b'>' if bytes.get(at + 1) == Some(&b'(') => {
                at = super::expand::closing(text, at + 2);
            }
            b'$' if bytes.get(at + 1) == Some(&b'{') => at = skip_to(bytes, at + 2, b'}'),
            b'&' if bytes.get(at + 1) == Some(&b'>') => at += 1,
            b'&' if at > 0 && matches!(bytes[at - 1], b'>' | b'<') => {}
            b';' | b'\n' | b'(' | b')' | b'&' => {
                push(&mut result, text, start, at, false);
                start = at + 1;
            }
            b'|' if at > 0 && bytes[at - 1] == b'>' => {}
            b'|' => {
                let either = bytes.get(at + 1) == Some(&b'|');
                push(&mut result, text, start, at, !either);
                at += usize::from(either);
                at += usize::from(bytes.get(at + 1) == Some(&b'&'));
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    push(&mut result, text, start.min(text.len()), text.len(), false);
    result
}

fn push(result: &mut Vec<(usize, usize, bool)>, text: &str, start: usize, end: usize, piped: bool) {
    let slice = text.get(start..end).unwrap_or_default();
    let lead = slice.len() - slice.trim_start().len();
    let trimmed = slice.trim();
    if trimmed.is_empty() {
        return;
    }
    result.push((start + lead, start + lead + trimmed.len(), piped));
}

fn skip_to(bytes: &[u8], from: usize, end: u8) -> usize {
    bytes[from.min(bytes.len())..]
        .iter()
        .position(|&b| b == end)
        .map_or(bytes.len(), |at| from + at)
}

fn double(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at
}
