//! Secrets without a format of their own: a text assigned to a name such as `password` or `api_key`.

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

/// Finds assignments of literal secrets.
pub(super) fn find(text: &str) -> Vec<SecretHit> {
    let Some(pattern) = ASSIGNED.as_ref() else {
        return Vec::new();
    };
    let mut hits = Vec::new();
    for captures in pattern.captures_iter(text) {
        let (Some(name), Some(value)) = (captures.get(1), captures.get(2)) else {
            continue;
        };
        if !convincing(name.as_str(), value.as_str()) {
            continue;
        }
        let shown: String = name.as_str().chars().take(60).collect();
        hits.push(SecretHit {
            rule: RULE,
            start: value.start(),
            end: value.end(),
            level: Level::Medium,
            message: format!("`{shown}` holds what looks like a secret, written into the code"),
        });
    }
    hits
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
