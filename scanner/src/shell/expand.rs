//! Parameter expansion and the variables that shell text assigns for itself.

use std::cell::Cell;
use std::collections::HashMap;

use super::{HOLE, fold};

/// Deepest nesting of substitutions that is followed; deeper ones count as unknown.
pub(super) const MAX_DEPTH: u8 = 6;

/// The variables whose values are known.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    variables: HashMap<String, String>,
    /// Positional parameters, `$0` first.
    arguments: Vec<String>,
    /// The text defines functions, whose parameters are those of each call.
    functions: bool,
    /// Bytes that expansion has copied so far.
    copied: Cell<usize>,
}

/// Most bytes that expansion copies; what comes later counts as unknown.
const MAX_COPIED: usize = 4 << 20;

impl Scope {
    /// Sets the positional parameters of a text.
    pub(super) fn set_arguments(&mut self, arguments: Vec<String>) {
        self.arguments = arguments;
    }

    /// Says whether a parameter that is not given may be that of a function.
    pub(super) fn set_functions(&mut self, functions: bool) {
        self.functions = functions;
    }

    /// Sets a variable, or adds to it (`NAME+=value`).
    pub(super) fn assign(&mut self, name: &str, value: &str, append: bool) {
        if self.variables.len() > 2_000 || value.len() > 16 * 1024 {
            return;
        }
        if append {
            let slot = self.variables.entry(name.to_owned()).or_default();
            if slot.len() + value.len() <= 16 * 1024 {
                slot.push_str(value);
            }
        } else {
            self.variables.insert(name.to_owned(), value.to_owned());
        }
    }

    /// The value of a variable, or a hole.
    fn get(&self, name: &str) -> String {
        self.known(name).unwrap_or_else(|| HOLE.to_string())
    }

    fn known(&self, name: &str) -> Option<String> {
        if let Some(value) = self.variables.get(name) {
            self.copied.set(self.copied.get() + value.len() + 16);
            return (self.copied.get() < MAX_COPIED).then(|| value.clone());
        }
        if let Ok(number) = name.parse::<usize>() {
            if let Some(argument) = self.arguments.get(number) {
                return Some(argument.clone());
            }
            if number >= 5 && !self.functions {
                // Nobody gives a command line that many: it only keeps words apart.
                return Some(String::new());
            }
        }
        if matches!(name, "@" | "*") && self.arguments.len() > 1 {
            return Some(self.arguments[1..].join(" "));
        }
        let value = match name {
            "HOME" => "~",
            "PWD" | "OLDPWD" => ".",
            "IFS" => " ",
            "SHELL" | "BASH" | "0" => "bash",
            "TMPDIR" => "/tmp",
            "@" | "*" => "",
            "#" => "0",
            _ => return None,
        };
        Some(value.to_owned())
    }
}

/// What one `$...` or backtick construct stands for.
#[derive(Debug, Default)]
pub(super) struct Expansion {
    /// The expanded text.
    pub text: String,
    /// Bytes of the source that it took; at least 1.
    pub length: usize,
    /// Raw text of a command substitution.
    pub substitution: Option<String>,
}

/// Expands the construct at the start of `text`, which begins with `$` or a backtick.
pub(super) fn parameter(text: &str, scope: &Scope, depth: u8) -> Expansion {
    if let Some(inside) = text.strip_prefix('`') {
        let end = inside.find('`').map_or(text.len(), |at| at + 1);
        return substitution(&text[1..end], (end + 1).min(text.len()), scope, depth);
    }
    let rest = &text[1..];
    if rest.starts_with("((") {
        let end = closing(text, 2);
        return unknown((end + 1).min(text.len()));
    }
    if rest.starts_with('(') {
        let end = closing(text, 2);
        return substitution(&text[2..end], (end + 1).min(text.len()), scope, depth);
    }
    if rest.starts_with('{') {
        let end = brace_end(text);
        let inner = text.get(2..end).unwrap_or_default();
        let length = (end + 1).min(text.len());
        return Expansion {
            text: braced(inner, scope, depth),
            length,
            substitution: None,
        };
    }
    let name: String = rest
        .chars()
        .enumerate()
        .take_while(|(i, c)| c.is_ascii_alphabetic() || *c == '_' || (*i > 0 && c.is_ascii_digit()))
        .map(|(_, c)| c)
        .collect();
    if !name.is_empty() {
        return Expansion {
            text: scope.get(&name),
            length: 1 + name.len(),
            substitution: None,
        };
    }
    match rest.chars().next() {
        Some(c) if c.is_ascii_digit() || "@*#?$!-".contains(c) => Expansion {
            text: scope.get(&c.to_string()),
            length: 2,
            substitution: None,
        },
        _ => Expansion {
            text: "$".to_owned(),
            length: 1,
            substitution: None,
        },
    }
}

fn unknown(length: usize) -> Expansion {
    Expansion {
        text: HOLE.to_string(),
        length,
        substitution: None,
    }
}

fn substitution(inner: &str, length: usize, scope: &Scope, depth: u8) -> Expansion {
    let folded = if depth >= MAX_DEPTH {
        None
    } else {
        fold::output(inner, scope, depth + 1)
    };
    Expansion {
        text: folded.unwrap_or_else(|| HOLE.to_string()),
        length,
        substitution: Some(inner.to_owned()),
    }
}

/// The inside of `${...}`.
fn braced(inner: &str, scope: &Scope, depth: u8) -> String {
    if let Some(name) = inner.strip_prefix('!') {
        let target = scope.known(name).unwrap_or_default();
        return scope.get(&target);
    }
    let length = inner
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(inner.len());
    let (name, operation) = match length {
        0 => {
            let first = inner.chars().next().map_or(0, char::len_utf8);
            inner.split_at(first)
        }
        _ => inner.split_at(length),
    };
    if operation.is_empty() {
        return scope.get(name);
    }
    let nested = |text: &str| -> String {
        if depth >= MAX_DEPTH {
            return HOLE.to_string();
        }
        super::lexer::value(text, scope, depth + 1).text
    };
    let known = scope.known(name);
    if operation.starts_with(":?") || operation.starts_with('?') {
        // Past an error there is no text to run.
        return known.unwrap_or_else(|| HOLE.to_string());
    }
    for (sign, when_unset) in [
        (":-", true),
        (":=", true),
        ("-", true),
        ("=", true),
        (":+", false),
        ("+", false),
    ] {
        if let Some(word) = operation.strip_prefix(sign) {
            return match (&known, when_unset) {
                (Some(value), true) if !value.is_empty() => value.clone(),
                (None, true) | (Some(_), _) => nested(word),
                (None, false) => HOLE.to_string(),
            };
        }
    }
    let Some(value) = known else {
        return HOLE.to_string();
    };
    transform(&value, operation).unwrap_or_else(|| HOLE.to_string())
}

/// Substrings, replacements, trimming and case of a known value.
fn transform(value: &str, operation: &str) -> Option<String> {
    if let Some(pattern) = operation.strip_prefix("//") {
        let (from, to) = pattern.split_once('/').unwrap_or((pattern, ""));
        return (!from.is_empty()).then(|| value.replace(from, to));
    }
    if let Some(pattern) = operation.strip_prefix('/') {
        let (from, to) = pattern.split_once('/').unwrap_or((pattern, ""));
        return Some(value.replacen(from, to, 1));
    }
    if let Some(slice) = operation.strip_prefix(':') {
        let (offset, length) = slice.split_once(':').unwrap_or((slice, ""));
        let total = value.chars().count();
        let offset: isize = offset.trim().trim_matches(['(', ')']).parse().ok()?;
        let start = if offset < 0 {
            total.saturating_sub(offset.unsigned_abs())
        } else {
            offset.unsigned_abs()
        };
        let length = if length.trim().is_empty() {
            total
        } else {
            length.trim().parse().ok()?
        };
        return Some(value.chars().skip(start).take(length).collect());
    }
    if let Some(pattern) = operation
        .strip_prefix("##")
        .or_else(|| operation.strip_prefix('#'))
    {
        return Some(value.strip_prefix(pattern).unwrap_or(value).to_owned());
    }
    if let Some(pattern) = operation
        .strip_prefix("%%")
        .or_else(|| operation.strip_prefix('%'))
    {
        return Some(value.strip_suffix(pattern).unwrap_or(value).to_owned());
    }
    match operation {
        "^^" | "^" => Some(value.to_uppercase()),
        ",," | "," => Some(value.to_lowercase()),
        "[@]" | "[*]" | "[0]" => Some(value.to_owned()),
        _ => None,
    }
}

/// Byte offset of the `)` that closes a group whose inside begins at `from`; the end if there is none.
pub(super) fn closing(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut depth = 0_u32;
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'\'' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'\'' {
                    at += 1;
                }
            }
            b'(' => depth += 1,
            b')' if depth == 0 => return at,
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

fn brace_end(text: &str) -> usize {
    let mut depth = 0_u32;
    for (at, c) in text.char_indices().skip(2) {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// Backslash escapes as in `$'...'`, `echo -e` and `printf`.
pub(super) fn escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(kind) = chars.next() else { break };
        let (radix, most) = match kind {
            'x' => (16, 2),
            'u' => (16, 4),
            'U' => (16, 8),
            '0'..='7' => (8, 3),
            _ => (0, 0),
        };
        if radix == 0 {
            out.push(match kind {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'a' | 'b' | 'f' | 'v' | 'c' => ' ',
                'e' | 'E' => '\u{1b}',
                other => other,
            });
            continue;
        }
        let mut code = if radix == 8 {
            kind.to_digit(8).unwrap_or(0)
        } else {
            0
        };
        let most = if radix == 8 {
            if kind == '0' { 3 } else { 2 }
        } else {
            most
        };
        for _ in 0..most {
            let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else {
                break;
            };
            code = code.wrapping_mul(radix).wrapping_add(digit);
            chars.next();
        }
        out.push(char::from_u32(code).unwrap_or(HOLE));
    }
    out
}
