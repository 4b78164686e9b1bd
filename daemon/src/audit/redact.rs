//! Takes secrets out of everything before it is stored: those that the scanner finds in the code, in arguments and in
//! the environment, and the same bytes wherever they turn up again. Pure.

use saferun_scanner::{Report, extract::scan_bytes};
use serde::Serialize;
use serde_json::Value;

/// What stands in a secret's place.
const MARK: &[u8] = b"[redacted]";
/// Shorter texts would blank out half of any output.
const SHORTEST: usize = 6;
/// Rule of the scanner for a secret in code.
const RULE: &str = "SR414";

/// The secrets of one run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets {
    /// Longest first, so that one that contains another goes whole.
    found: Vec<Vec<u8>>,
}

impl Secrets {
    /// Those in a scanned text, silenced findings included.
    pub(crate) fn of_source(source: &[u8], report: &Report) -> Self {
        let mut secrets = Self::default();
        secrets.add_source(source, report);
        secrets
    }

    /// Adds those in another scanned text.
    pub(crate) fn add_source(&mut self, source: &[u8], report: &Report) {
        let silenced = report.suppressed.iter().map(|one| &one.finding);
        for finding in report.findings.iter().chain(silenced) {
            if finding.rule == RULE
                && let Some(bytes) = source.get(finding.bytes.0..finding.bytes.1)
            {
                self.add(bytes);
            }
        }
    }

    /// Adds those in arguments and variables, judged as the scanner judges an assignment.
    pub(crate) fn look_at(&mut self, args: &[String], env: &[(String, String)]) {
        let options = saferun_scanner::Options::default();
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let pairs = env.iter().map(|(name, value)| (name.clone(), value));
        let args = args.iter().enumerate().map(|(index, arg)| {
            let before = index.checked_sub(1).and_then(|before| args.get(before));
            let (name, value) = arg
                .split_once('=')
                .unwrap_or((before.map_or("arg", String::as_str), arg));
            (name.to_owned(), value.to_owned())
        });
        let args: Vec<_> = args.collect();
        for (name, value) in pairs.chain(args.iter().map(|(name, value)| (name.clone(), value))) {
            let name: String = name
                .trim_start_matches('-')
                .chars()
                .map(|letter| {
                    if letter.is_ascii_alphanumeric() {
                        letter
                    } else {
                        '_'
                    }
                })
                .collect();
            let line = format!("_{name} = {}\n{name} = {}\n", quoted(value), quoted(value));
            let report = scan_bytes("script.py", line.as_bytes(), &options).report;
            if report.findings.iter().any(|finding| finding.rule == RULE) {
                self.add(value.as_bytes());
            }
        }
    }

    /// Adds a value that somebody calls a secret, whatever it looks like.
    pub(crate) fn keep_out(&mut self, value: &str) {
        self.add(value.as_bytes());
    }

    fn add(&mut self, bytes: &[u8]) {
        let bytes = bytes
            .strip_prefix(b"\"")
            .or_else(|| bytes.strip_prefix(b"'"))
            .unwrap_or(bytes);
        let bytes = bytes
            .strip_suffix(b"\"")
            .or_else(|| bytes.strip_suffix(b"'"))
            .unwrap_or(bytes);
        if bytes.len() >= SHORTEST && !self.found.iter().any(|known| known == bytes) {
            self.found.push(bytes.to_vec());
            self.found
                .sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }

    /// The bytes without any secret, and how many were taken out.
    pub(crate) fn clean(&self, mut bytes: Vec<u8>) -> (Vec<u8>, u32) {
        let mut count = 0;
        for secret in &self.found {
            let mut rest = &bytes[..];
            let mut cleaned = Vec::new();
            while let Some(at) = find(rest, secret) {
                cleaned.extend_from_slice(&rest[..at]);
                cleaned.extend_from_slice(MARK);
                rest = &rest[at + secret.len()..];
                count += 1;
            }
            if !cleaned.is_empty() {
                cleaned.extend_from_slice(rest);
                bytes = cleaned;
            }
        }
        (bytes, count)
    }

    /// The text without any secret.
    pub(crate) fn clean_text(&self, text: &str) -> String {
        if self.found.is_empty() {
            return text.to_owned();
        }
        String::from_utf8_lossy(&self.clean(text.as_bytes().to_vec()).0).into_owned()
    }

    /// One of our own types as JSON without any secret. Its texts are cleaned before they are written: the escapes of
    /// JSON would hide a secret with a quote or a backslash in it.
    pub(crate) fn clean_json(&self, value: &impl Serialize) -> Vec<u8> {
        // Our own types, with text for keys: this does not fail.
        if self.found.is_empty() {
            return serde_json::to_vec(value).unwrap_or_default();
        }
        let mut value = serde_json::to_value(value).unwrap_or_default();
        clean_value(&mut value, self);
        serde_json::to_vec(&value).unwrap_or_default()
    }
}

/// Cleans each text of a value, names of members left as they are.
fn clean_value(value: &mut Value, secrets: &Secrets) {
    match value {
        Value::String(text) => *text = secrets.clean_text(text),
        Value::Array(items) => items.iter_mut().for_each(|item| clean_value(item, secrets)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| clean_value(member, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|byte| *byte == first) {
        if bytes[from + at..].starts_with(wanted) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &[u8] = b"password = \"hunter2hunter2\"\nprint(password)\n";

    fn secrets() -> Secrets {
        let report = scan_bytes("script.py", CODE, &saferun_scanner::Options::default()).report;
        Secrets::of_source(CODE, &report)
    }

    #[test]
    fn a_secret_goes_from_the_code_and_from_the_output() {
        let (code, count) = secrets().clean(CODE.to_vec());
        assert_eq!(count, 1);
        assert!(
            !String::from_utf8_lossy(&code).contains("hunter2"),
            "{code:?}"
        );
        assert_eq!(
            secrets().clean_text("it is hunter2hunter2."),
            "it is [redacted]."
        );
    }

    #[test]
    fn a_secret_goes_from_every_text_of_a_value_whatever_json_makes_of_it() {
        let mut secrets = Secrets::default();
        secrets.add(br#"pass"word\9"#);
        let value = serde_json::json!({
            "message": r#"it was pass"word\9"#,
            "findings": [{"evidence": [{"message": r#"pass"word\9 leaves"#}], "level": 3}],
        });
        let cleaned: Value = serde_json::from_slice(&secrets.clean_json(&value)).unwrap();
        assert_eq!(
            cleaned,
            serde_json::json!({
                "message": "it was [redacted]",
                "findings": [{"evidence": [{"message": "[redacted] leaves"}], "level": 3}],
            })
        );
    }

    #[test]
    fn secrets_in_arguments_and_variables_are_known_by_their_names() {
        let mut secrets = Secrets::default();
        secrets.look_at(
            &[
                "--password".to_owned(),
                "correcthorse99".to_owned(),
                "--api-key=q7Rf2kV9wLx4Tz".to_owned(),
            ],
            &[
                ("DB_PASSWORD".to_owned(), "s3cr3tvalue42".to_owned()),
                ("HOME".to_owned(), "/home/me".to_owned()),
            ],
        );
        for secret in ["correcthorse99", "q7Rf2kV9wLx4Tz", "s3cr3tvalue42"] {
            assert_eq!(secrets.clean_text(secret), "[redacted]", "{secret}");
        }
        assert_eq!(secrets.clean_text("/home/me"), "/home/me");
    }
}
