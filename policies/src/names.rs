//! Patterns over resolved names and over paths, and which of several patterns speaks for a name.
//! Within one layer the most specific pattern decides; at a tie, `block` wins.

use saferun_scanner::UsageKind;

use crate::origin::Origin;
use crate::paths::{PathPattern, Reading};

/// What makes a pattern speak of more than its own text, or of another one.
pub(crate) const WILD: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];

/// What a list says of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Say {
    Allow,
    Block,
}

/// A pattern of one list entry.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(crate) text: String,
    path: Option<PathPattern>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Pattern {
    /// Reads the pattern of a list for this kind of use.
    pub(crate) fn parse(text: &str, kind: UsageKind) -> Result<Self, String> {
        if text.is_empty() {
            return Err("an empty pattern matches nothing".to_owned());
        }
        if text.len() > 256 {
            return Err("a pattern has at most 256 characters".to_owned());
        }
        if kind == UsageKind::Path {
            return Ok(Self {
                text: text.to_owned(),
                path: Some(PathPattern::parse(text)?),
            });
        }
        // `pathlib.Path().write_text`: what a call gives back has `()` in its resolved name.
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '*';
        let sound = |part: &str| {
            let part = part.strip_suffix("()").unwrap_or(part);
            !part.is_empty() && part.chars().all(word)
        };
        if !text.split('.').all(sound) {
            return Err(format!("`{text}` is not a dotted name"));
        }
        Ok(Self {
            text: text.to_owned(),
            path: None,
        })
    }

    /// The text of a reading that the pattern speaks of, to allow or to block it.
    pub(crate) fn spoken<'r>(
        &self,
        reading: &'r Reading<'_>,
        kind: UsageKind,
        say: Say,
    ) -> Option<&'r str> {
        match &self.path {
            Some(pattern) => pattern.spoken(reading, say),
            None => self.matches(&reading.text, kind).then_some(&*reading.text),
        }
    }

    /// Whether it is one of paths that speaks of what is not below the working folder.
    pub(crate) fn lies_outside(&self) -> bool {
        self.path.as_ref().is_some_and(PathPattern::lies_outside)
    }

    /// Whether the pattern speaks of this dotted name.
    fn matches(&self, name: &str, kind: UsageKind) -> bool {
        match kind {
            UsageKind::Path => false,
            // A module speaks of its submodules and of what is imported from it.
            UsageKind::Import => {
                dotted(&self.text, name)
                    || name
                        .match_indices('.')
                        .any(|(at, _)| dotted(&self.text, &name[..at]))
            }
            UsageKind::Call | UsageKind::Attribute => {
                dotted(&self.text, name)
                    || name.strip_prefix("builtins.").is_some_and(|bare| {
                        !self.text.contains('.') && self.text != "*" && dotted(&self.text, bare)
                    })
            }
        }
    }

    /// How much of a name the pattern pins down; more is more specific.
    pub(crate) fn weight(&self) -> (usize, usize) {
        let text = self.path.as_ref().map_or(&self.text, |path| &path.text);
        let literal = text.chars().filter(|c| !WILD.contains(c)).count();
        (usize::from(!text.contains(WILD)) * 1000 + literal, literal)
    }
}

/// Segment by segment; `*` inside a segment stands for any part of it, a last `*` for one or more segments.
fn dotted(pattern: &str, name: &str) -> bool {
    let mut names = name.split('.');
    let mut patterns = pattern.split('.').peekable();
    while let Some(part) = patterns.next() {
        let Some(segment) = names.next() else {
            return false;
        };
        if part == "*" && patterns.peek().is_none() {
            return true;
        }
        if !wild(part, segment) {
            return false;
        }
    }
    names.next().is_none()
}

/// `*` for any characters; linear in the text for each star.
fn wild(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut tail: Vec<&str> = parts.collect();
    let Some(last) = tail.pop() else {
        return rest.is_empty();
    };
    for part in tail {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// One line of an `allow` or `block` list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: UsageKind,
    /// The language whose section it stands in; none speaks of every language.
    pub(crate) language: Option<&'static str>,
    pub(crate) say: Say,
    pub(crate) pattern: Pattern,
    pub(crate) origin: Origin,
}

/// The `default` of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fallback {
    pub(crate) kind: UsageKind,
    pub(crate) language: Option<&'static str>,
    pub(crate) say: Say,
    pub(crate) origin: Origin,
}

/// The meanings of a name in the code: one for all names but paths.
pub(crate) fn readings(kind: UsageKind, name: &str) -> Vec<Reading<'_>> {
    if kind == UsageKind::Path {
        Reading::of_path(name)
    } else {
        vec![Reading::plain(name)]
    }
}

/// The entry that speaks for a name, and the text of it that it speaks of: a language's own section before the general
/// one, then the most specific.
pub(crate) fn speaker<'a, 'r>(
    entries: &'a [Entry],
    reading: &'r Reading<'_>,
    kind: UsageKind,
    language: &str,
) -> Option<(&'a Entry, &'r str)> {
    entries
        .iter()
        .filter(|entry| entry.kind == kind && entry.language.is_none_or(|own| own == language))
        .filter_map(|entry| Some((entry, entry.pattern.spoken(reading, kind, entry.say)?)))
        .max_by_key(|(entry, _)| (entry.language.is_some(), entry.pattern.weight(), entry.say))
}

/// The key of the list in the language.
pub(crate) const fn section(kind: UsageKind) -> &'static str {
    match kind {
        UsageKind::Import => "imports",
        UsageKind::Call => "calls",
        UsageKind::Attribute => "attributes",
        UsageKind::Path => "paths",
    }
}

/// The kind of use for a key of the language.
pub(crate) fn kind_of(section: &str) -> Option<UsageKind> {
    match section {
        "imports" => Some(UsageKind::Import),
        "calls" => Some(UsageKind::Call),
        "attributes" => Some(UsageKind::Attribute),
        "paths" => Some(UsageKind::Path),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names() {
        use UsageKind::{Attribute, Call, Import, Path};
        for (pattern, kind, name, matches) in [
            ("os", Import, "os", true),
            ("os", Import, "os.path", true),
            ("os", Import, "ossaudiodev", false),
            ("os.path", Import, "os", false),
            ("*", Import, "anything.at.all", true),
            ("os.*", Call, "os.system", true),
            ("os.*", Call, "os.path.join", true),
            ("os.*", Call, "os", false),
            ("os.exec*", Call, "os.execvp", true),
            ("os.exec*", Call, "os.system", false),
            ("*.load", Call, "pickle.load", true),
            (
                "pathlib.Path().write*",
                Call,
                "pathlib.Path().write_text",
                true,
            ),
            ("pathlib.*", Call, "pathlib.Path().write_text", true),
            ("*.load", Call, "a.b.load", false),
            ("eval", Call, "builtins.eval", true),
            ("eval", Call, "model.eval", false),
            ("builtins.eval", Call, "builtins.eval", true),
            ("*", Call, "builtins.print", true),
            ("os.*", Attribute, "os.environ", true),
            ("a*b*c", Call, "axxbyyc", true),
            ("a*b*c", Call, "axxcyyb", false),
            ("/etc", Path, "/etc/passwd", true),
            ("/etc/*", Path, "/etc/ssh/key", true),
            ("~/.ssh/**", Path, "~/.ssh/id_rsa", true),
            ("*.txt", Path, "notes.txt", true),
            ("*.txt", Path, "a/notes.txt", false),
            ("**/*.txt", Path, "a/notes.txt", true),
        ] {
            let parsed = Pattern::parse(pattern, kind).unwrap();
            for reading in readings(kind, name) {
                for say in [Say::Allow, Say::Block] {
                    let spoken = parsed.spoken(&reading, kind, say);
                    assert_eq!(spoken.is_some(), matches, "{pattern} on {name}");
                }
            }
        }
    }

    #[test]
    fn a_path_that_is_written_out_is_more_specific_than_any_glob() {
        let weight = |text| Pattern::parse(text, UsageKind::Path).unwrap().weight();
        for glob in [
            "/etc/{passwd,shadow}",
            "/etc/[a-z]hadow",
            "/etc/?hadow",
            "/etc/shado*",
            "/etc/{shadow,a-much-longer-name-than-it}",
        ] {
            assert!(weight("/etc/shadow") > weight(glob), "{glob}");
        }
    }

    #[test]
    fn nonsense_is_no_pattern() {
        for text in [
            "", "os..path", ".os", "os.", "os path", "os;rm", "()", "os()x",
        ] {
            assert!(Pattern::parse(text, UsageKind::Call).is_err(), "{text}");
        }
        assert!(Pattern::parse("[", UsageKind::Path).is_err());
    }
}
