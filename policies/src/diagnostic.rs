//! Errors and warnings about policy texts: what, where, a caret, and what to write instead.
//! Text of a policy is untrusted; it is printed without control characters.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::origin::Origin;
use crate::yaml::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The policy holds; a line of it has no effect.
    Warning,
    /// The policy does not hold.
    Error,
}

/// One thing that is wrong with a policy text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Stable kebab-case name of the mistake: `unknown-key`.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// What to do, where there is advice.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub help: Option<String>,
    /// Where it stands.
    pub origin: Origin,
    /// Characters to underline from the origin's column on; at least 1.
    pub length: u32,
    /// The line of the text, without control characters; empty where the text has no lines.
    pub excerpt: String,
}

impl Diagnostic {
    pub(crate) fn new(
        severity: Severity,
        code: &str,
        message: impl Into<String>,
        help: Option<String>,
        place: &Place<'_>,
        span: Span,
    ) -> Self {
        let line = place
            .text
            .split('\n')
            .nth(index(span.line))
            .unwrap_or_default();
        let shown = place.text.get(span.start..span.end).unwrap_or_default();
        let length = shown
            .split('\n')
            .next()
            .unwrap_or_default()
            .trim_end()
            .chars()
            .count();
        Self {
            severity,
            code: code.to_owned(),
            message: clean(&message.into()),
            help: help.map(|help| clean(&help)),
            origin: place.origin(span),
            length: u32::try_from(length).unwrap_or(u32::MAX).max(1),
            excerpt: clean(line.trim_end_matches('\r')),
        }
    }

    /// Whether the policy does not hold because of it.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        matches!(self.severity, Severity::Error)
    }
}

const fn index(line: u32) -> usize {
    line.saturating_sub(1) as usize
}

/// A text as the diagnostics see it: which layer, under which name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) layer: crate::origin::LayerKind,
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
}

impl Place<'_> {
    pub(crate) fn origin(&self, span: Span) -> Origin {
        Origin {
            layer: self.layer,
            file: self.file.to_owned(),
            line: span.line,
            column: span.column,
        }
    }
}

impl fmt::Display for Diagnostic {
    /// The message, an arrow to the place, the line with a caret, and the advice.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WIDTH: usize = 120;
        let word = if self.is_error() { "error" } else { "warning" };
        writeln!(f, "{word}: {}", self.message)?;
        let Origin {
            file, line, column, ..
        } = &self.origin;
        let file = clean(file);
        if *line == 0 {
            write!(f, "  --> {file}")?;
        } else {
            let number = line.to_string();
            let pad = " ".repeat(number.len());
            // A long line is cut to a window around the column, so that the caret stays in sight.
            let at = index(*column);
            let skip = if at + 20 > WIDTH { at - 40 } else { 0 };
            let excerpt: String = self.excerpt.chars().skip(skip).take(WIDTH).collect();
            let left: String = excerpt
                .chars()
                .take(at - skip)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            let room = excerpt.chars().count().saturating_sub(at - skip).max(1);
            let carets = "^".repeat((self.length as usize).min(room));
            writeln!(f, "{pad} --> {file}:{line}:{column}")?;
            writeln!(f, "{pad}  |")?;
            writeln!(f, "{number}  | {excerpt}")?;
            write!(f, "{pad}  | {left}{carets}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n   = help: {help}")?;
        }
        Ok(())
    }
}

/// Every error and warning of a load, as one error value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// Replaces what could steer a terminal or reorder a line: control and bidirectional characters.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push('\t'),
            c => saferun_text::push(&mut out, c),
        }
    }
    out
}

/// Longer words are no mistyped ones: comparing them would take long.
const LONGEST_WORD: usize = 64;

/// The known word that is nearest to a mistyped one, if any is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST_WORD {
        return None;
    }
    let lower = word.to_lowercase().replace('-', "_");
    known
        .into_iter()
        .map(|candidate| {
            let other = candidate.to_lowercase().replace('-', "_");
            let mut distance = strsim::osa_distance(&lower, &other);
            if distance > 0
                && other.len() >= 4
                && (lower.starts_with(&other) || other.starts_with(&lower))
                && lower.len() >= 3
            {
                distance = 1;
            }
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= 1.max(candidate.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
