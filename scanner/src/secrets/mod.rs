//! Finds passwords, keys and tokens written into text: keyword prefilter, then a linear regex, then entropy and
//! placeholder checks. It never reports the secret itself in a message, and never asks a service whether it is live.

mod assign;
mod check;
mod formats;

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::Regex;

use crate::Level;

pub use formats::names;

/// A secret found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretHit {
    /// Name of the token format, or `assigned-secret`.
    pub rule: &'static str,
    /// First byte of the secret.
    pub start: usize,
    /// Byte after the secret.
    pub end: usize,
    /// What is at stake.
    pub level: Level,
    /// One sentence that names the format, never the value.
    pub message: String,
}

/// Most hits that one text may have.
const MAX_HITS: usize = 1_000;

static PREFILTER: LazyLock<Option<(AhoCorasick, Vec<usize>)>> = LazyLock::new(|| {
    let mut owners = Vec::new();
    let mut keywords = Vec::new();
    for (index, format) in formats::FORMATS.iter().enumerate() {
        for keyword in format.keywords {
            keywords.push(*keyword);
            owners.push(index);
        }
    }
    for keyword in assign::KEYWORDS {
        keywords.push(keyword);
        owners.push(formats::FORMATS.len());
    }
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        // A table of every state is twice as fast and costs a few hundred KB once.
        .kind(Some(AhoCorasickKind::DFA))
        .build(keywords)
        .ok()?;
    Some((automaton, owners))
});

static PATTERNS: LazyLock<Vec<OnceLock<Option<Regex>>>> =
    LazyLock::new(|| formats::FORMATS.iter().map(|_| OnceLock::new()).collect());

fn pattern(index: usize) -> Option<&'static Regex> {
    PATTERNS
        .get(index)?
        .get_or_init(|| Regex::new(formats::FORMATS[index].pattern).ok())
        .as_ref()
}

/// Finds secrets, in order of position and without overlaps.
#[must_use]
pub fn find(text: &str) -> Vec<SecretHit> {
    let mut hits = Vec::new();
    let (wanted, named) = candidates(text);
    for index in wanted {
        let format = &formats::FORMATS[index];
        let Some(regex) = pattern(index) else {
            continue;
        };
        for captures in regex.captures_iter(text).take(MAX_HITS) {
            let Some(value) = captures.get(1).or_else(|| captures.get(0)) else {
                continue;
            };
            if !check::plausible(value.as_str(), format.entropy) {
                continue;
            }
            hits.push(SecretHit {
                rule: format.rule,
                start: value.start(),
                end: value.end(),
                level: format.level,
                message: format!("{} is written into the code", format.what),
            });
        }
    }
    for place in named {
        assign::find(text, place, &mut hits);
        if hits.len() > MAX_HITS * 2 {
            break;
        }
    }
    without_overlaps(hits)
}

/// The formats of which a keyword is in the text, and the places that speak of secrets by name.
fn candidates(text: &str) -> (Vec<usize>, Vec<Range<usize>>) {
    let formats = formats::FORMATS.len();
    let Some((automaton, owners)) = PREFILTER.as_ref() else {
        return (
            (0..formats).collect(),
            std::iter::once(0..text.len()).collect(),
        );
    };
    let mut wanted = vec![false; formats];
    let mut named: Vec<Range<usize>> = Vec::new();
    for hit in automaton.find_overlapping_iter(text) {
        match wanted.get_mut(owners[hit.pattern().as_usize()]) {
            Some(slot) => *slot = true,
            None => assign::note(text, hit.start(), &mut named),
        }
    }
    let wanted = wanted
        .iter()
        .enumerate()
        .filter(|(_, wanted)| **wanted)
        .map(|(index, _)| index)
        .collect();
    (wanted, named)
}

/// Keeps the first and longest hit at each place; named formats win over plain assignments.
fn without_overlaps(mut hits: Vec<SecretHit>) -> Vec<SecretHit> {
    let generic = |hit: &SecretHit| hit.rule == assign::RULE;
    hits.sort_by(|a, b| {
        (a.start, generic(a), b.end, a.rule).cmp(&(b.start, generic(b), a.end, b.rule))
    });
    let mut kept: Vec<SecretHit> = Vec::with_capacity(hits.len());
    for hit in hits {
        match kept.last_mut() {
            Some(last) if hit.start < last.end => {
                if generic(last) && !generic(&hit) {
                    *last = hit;
                }
            }
            _ => kept.push(hit),
        }
    }
    kept
}

/// The text with each secret replaced by its first four characters and a mark.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for hit in find(text) {
        out.push_str(&text[from..hit.start]);
        let secret = &text[hit.start..hit.end];
        let keep = if secret.chars().count() > 12 { 4 } else { 0 };
        out.extend(secret.chars().take(keep));
        out.push_str("…[redacted]");
        from = hit.end;
    }
    out.push_str(&text[from..]);
    out
}
