//! Tells a real secret from a placeholder: entropy, repetition, and the words that documentation uses.

/// Words that only placeholders contain, in lower case.
const PLACEHOLDERS: [&str; 36] = [
    "example",
    "sample",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "your",
    "xxxx",
    "dummy",
    "redacted",
    "insert",
    "replace",
    "todo",
    "fixme",
    "<",
    "${",
    "{{",
    "%(",
    "...",
    "****",
    "notreal",
    "not-real",
    "fake",
    "foobar",
    "enter_",
    "my-secret",
    "mysecret",
    "my_secret",
    "none",
    "null",
    "undefined",
    "test_key",
    "secret_here",
    "_here",
    "00000000",
    "0123456789abcdef",
];

/// Shannon entropy in bits for each character.
pub(super) fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    let mut total = 0_u32;
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
        total += 1;
    }
    let total = f64::from(total.max(1));
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum()
}

/// Whether the value is one that documentation shows, not one that opens a door.
pub(super) fn placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|word| lower.contains(word)) || runs(value) || counts_up(value)
}

/// Six or more equal characters in a row, unless the value is long enough to have them by chance.
fn runs(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes.len() < 200
        && bytes
            .windows(6)
            .any(|window| window.iter().all(|b| *b == window[0]))
}

/// Ten or more characters that count up: `1234567890`, `abcdefghij`.
fn counts_up(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes.windows(10).any(|window| {
        window
            .windows(2)
            .all(|pair| pair[1] == pair[0].wrapping_add(1) || (pair[0] == b'9' && pair[1] == b'0'))
    })
}

/// Whether a value that has the right shape is worth a finding.
pub(super) fn plausible(value: &str, least: f64) -> bool {
    !placeholder(value) && entropy(value) >= least
}
