//! Secrets without a format of their own: a text assigned to a name such as `password` or `api_key`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{SecretHit, check};
use crate::Level;

/// The rule's name.
pub(super) const RULE: &str = "assigned-secret";

static ASSIGNED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)([a-z0-9_.\-]*(?:passwd|password|passphrase|pwd|secret|token|api[_\-]?key|access[_\-]?key|private[_\-]?key|auth[_\-]?key|credential)[a-z0-9_]*)["']?\]?\s*(?::\s*[a-z_.\[\] |]{1,40}\s*)?(?:=>|=|:)\s*[rbu]{0,2}["']([^"'\r\n]{6,200})["']"#,
    )
    .ok()
});

/// Words in a name that say it is about secrets, not one itself.
const ABOUT: [&str; 21] = [
    "field",
    "name",
    "prompt",
    "label",
    "url",
    "path",
    "file",
    "regex",
    "pattern",
    "help",
    "type",
    "header",
    "error",
    "message",
    "param",
    "placeholder",
    "tokenizer",
    "token_type",
    "hash_algorithm",
    "env",
    "endpoint",
];

/// What every name of the pattern contains.
pub(super) const KEYWORDS: [&str; 19] = [
    "passwd",
    "password",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "apikey",
    "api_key",
    "api-key",
    "accesskey",
    "access_key",
    "access-key",
    "privatekey",
    "private_key",
    "private-key",
    "authkey",
    "auth_key",
    "auth-key",
];

/// Lines after the name on which its value may stand.
const LINES: usize = 2;

/// Adds the lines around a name to the places to look at.
pub(super) fn note(text: &str, at: usize, places: &mut Vec<Range<usize>>) {
    if places.last().is_some_and(|last| at + 64 < last.end) {
        return;
    }
    let bytes = text.as_bytes();
    let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |found| found + 1);
    let mut end = at;
    for _ in 0..=LINES {
        end = memchr::memchr(b'\n', &bytes[end..]).map_or(bytes.len(), |found| end + found + 1);
    }
    // A value stands in quotes.
    if memchr::memchr2(b'"', b'\'', &bytes[at..end]).is_none() {
        return;
    }
    match places.last_mut() {
        Some(last) if start <= last.end => last.end = end.max(last.end),
        _ => places.push(start..end),
    }
}

/// Finds assignments of literal secrets in a part of a text.
pub(super) fn find(text: &str, place: Range<usize>, hits: &mut Vec<SecretHit>) {
    let Some(pattern) = ASSIGNED.as_ref() else {
        return;
    };
    let from = place.start;
    for captures in pattern.captures_iter(&text[place]) {
        let (Some(name), Some(value)) = (captures.get(1), captures.get(2)) else {
            continue;
        };
        if !convincing(name.as_str(), value.as_str()) {
            continue;
        }
        let shown: String = name.as_str().chars().take(60).collect();
        hits.push(SecretHit {
            rule: RULE,
            start: from + value.start(),
            end: from + value.end(),
            level: Level::Medium,
            message: format!("`{shown}` holds what looks like a secret, written into the code"),
        });
    }
}

fn convincing(name: &str, value: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    if ABOUT.iter().any(|word| lower.contains(word)) || check::placeholder(value) {
        return false;
    }
    // sentences, paths, look-ups and templates are not secrets
    if value.contains([' ', '{', '}', '\\', '(', ')', '$', '/']) && !base64ish(value) {
        return false;
    }
    let letters = value.chars().any(|c| c.is_ascii_alphabetic());
    let digits = value.chars().any(|c| c.is_ascii_digit());
    let symbols = value
        .chars()
        .any(|c| c.is_ascii_punctuation() && !matches!(c, '_' | '-' | '.'));
    let password = lower.contains("pass") || lower.contains("pwd");
    if password {
        return letters && (digits || symbols) && check::entropy(value) >= 2.3;
    }
    value.len() >= 12 && letters && digits && check::entropy(value) >= 3.0
}

fn base64ish(value: &str) -> bool {
    value.len() >= 20
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_'))
        && value.chars().any(|c| c.is_ascii_digit())
        && check::entropy(value) >= 4.0
}
