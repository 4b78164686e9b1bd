//! Computes the output of harmless filters over constant text: `echo`, `printf`, `base64 -d`, `rev`, `tr`, `sed s///`.
//! Whatever it cannot compute it leaves unknown; it never guesses.

use super::HOLE;
use super::expand::{Scope, escapes};
use super::split;
use super::word::Command;

/// Longest text that is folded.
const MAX: usize = 64 * 1024;

/// The output of one pipeline of shell text, without trailing line ends, if it can be computed.
pub(super) fn output(text: &str, scope: &Scope, depth: u8) -> Option<String> {
    if text.len() > MAX {
        return None;
    }
    let pipelines = split::pipelines(text, scope, depth);
    let [stages] = pipelines.as_slice() else {
        return None;
    };
    let result = pipeline(stages)?;
    Some(result.trim_end_matches('\n').to_owned())
}

/// The output of a whole pipeline, if it can be computed.
pub(super) fn pipeline(stages: &[Command]) -> Option<String> {
    let (first, rest) = stages.split_first()?;
    let mut text = source(first)?;
    for stage in rest {
        text = filter(stage, &text)?;
        if text.len() > MAX {
            return None;
        }
    }
    Some(text)
}

fn source(command: &Command) -> Option<String> {
    if let Some(stdin) = &command.stdin {
        return filter(command, stdin);
    }
    let arguments: Vec<&str> = command
        .arguments()
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    match command.program().as_str() {
        "echo" => {
            let mut interpret = false;
            let mut newline = true;
            let mut words = arguments.as_slice();
            while let [first, rest @ ..] = words {
                match *first {
                    "-n" => newline = false,
                    "-e" => interpret = true,
                    "-ne" | "-en" => {
                        interpret = true;
                        newline = false;
                    }
                    _ => break,
                }
                words = rest;
            }
            let line = words.join(" ");
            let mut line = if interpret { escapes(&line) } else { line };
            if newline {
                line.push('\n');
            }
            Some(line)
        }
        "printf" => printf(&arguments),
        "which" => arguments.last().map(|name| (*name).to_owned()),
        "command" if matches!(arguments.first(), Some(&"-v" | &"-V")) => {
            arguments.get(1).map(|name| (*name).to_owned())
        }
        "realpath" | "readlink" => command.operands().next().map(|word| word.text.clone()),
        "pwd" => Some(".".to_owned()),
        "basename" => arguments
            .first()
            .map(|path| path.rsplit('/').next().unwrap_or(path).to_owned()),
        _ => None,
    }
}

fn printf(arguments: &[&str]) -> Option<String> {
    let (format, values) = match arguments {
        ["--", format, values @ ..] | [format, values @ ..] => (escapes(format), values),
        [] => return None,
    };
    let mut out = String::new();
    let mut values = values.iter();
    loop {
        let before = values.len();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some('s' | 'd') => out.push_str(values.next().unwrap_or(&"")),
                Some('b') => out.push_str(&escapes(values.next().unwrap_or(&""))),
                Some('%') => out.push('%'),
                _ => return None,
            }
        }
        if values.len() == 0 || values.len() == before || out.len() > MAX {
            return Some(out);
        }
    }
}

fn filter(command: &Command, input: &str) -> Option<String> {
    let arguments: Vec<&str> = command
        .arguments()
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    let decodes = command.has(&["-d", "-D", "--decode", "-di", "-id"]);
    match command.program().as_str() {
        "cat" | "tee" if command.operands().next().is_none() => Some(input.to_owned()),
        "base64" | "openssl" if decodes => String::from_utf8(base64(input)).ok(),
        "rev" => Some(
            input
                .lines()
                .map(|line| line.chars().rev().collect::<String>())
                .collect::<Vec<_>>()
                .join("\n"),
        ),
        "tac" => Some(input.lines().rev().collect::<Vec<_>>().join("\n")),
        "xxd" if command.has_letter('r') => hex(input),
        "tr" => translate(&arguments, input),
        "sed" => substitute(arguments.iter().find(|a| !a.starts_with('-'))?, input),
        _ => None,
    }
}

/// Decodes base64, skipping whatever is not of its alphabet.
pub(super) fn base64(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut bits = 0_u32;
    let mut count = 0_u32;
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 0xff).unwrap_or_default());
        }
    }
    out
}

fn hex(text: &str) -> Option<String> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    let bytes = digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap_or_default())
        .collect();
    String::from_utf8(bytes).ok()
}

fn translate(arguments: &[&str], input: &str) -> Option<String> {
    match arguments {
        ["-d", set] => {
            let set = ranges(set)?;
            Some(input.chars().filter(|c| !set.contains(c)).collect())
        }
        [from, to] if !from.starts_with('-') => {
            let from = ranges(from)?;
            let to = ranges(to)?;
            let last = *to.last()?;
            Some(
                input
                    .chars()
                    .map(|c| match from.iter().position(|&f| f == c) {
                        Some(at) => to.get(at).copied().unwrap_or(last),
                        None => c,
                    })
                    .collect(),
            )
        }
        _ => None,
    }
}

/// The characters of a `tr` set, with `a-z` ranges written out.
fn ranges(set: &str) -> Option<Vec<char>> {
    let set = match set {
        "[:lower:]" => "a-z".to_owned(),
        "[:upper:]" => "A-Z".to_owned(),
        "[:space:]" => " \n\t".to_owned(),
        _ => escapes(set).trim_matches(['[', ']']).to_owned(),
    };
    let chars: Vec<char> = set.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if at + 2 < chars.len() && chars[at + 1] == '-' {
            let (low, high) = (chars[at], chars[at + 2]);
            if low > high || u32::from(high) - u32::from(low) > 256 {
                return None;
            }
            out.extend(low..=high);
            at += 3;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    Some(out)
}

/// `s/a/b/` and `s/a/b/g` where `a` has no pattern characters.
fn substitute(script: &str, input: &str) -> Option<String> {
    let rest = script.strip_prefix('s')?;
    let separator = rest.chars().next()?;
    let mut parts = rest[separator.len_utf8()..].split(separator);
    let (from, to) = (parts.next()?, parts.next()?);
    let flags = parts.next().unwrap_or_default();
    if from.is_empty() || from.contains(['.', '*', '[', '^', '$', '\\', HOLE]) {
        return None;
    }
    Some(if flags.contains('g') {
        input.replace(from, to)
    } else {
        input.replacen(from, to, 1)
    })
}
