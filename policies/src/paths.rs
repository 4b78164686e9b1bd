//! Paths of the code as the policy compares them: each text that a constant path may mean, and patterns over those.
//! By the text alone: no file system is asked, so that a link on the way stays unseen.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::names::Say;

/// Longer paths can be opened by no system call (`PATH_MAX` of Linux).
pub(crate) const MAX_LENGTH: usize = 4096;

/// One meaning of a name in the code. What a policy allows, it has to allow in each meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Other spellings of the same file, as far as anybody can tell: they are blocked, and never allowed, by what
    /// matches them.
    aliases: Vec<String>,
    /// Whether `..` was taken out, wherever the text says of what it is the parent.
    resolved: bool,
}

impl<'a> Reading<'a> {
    /// A name that means one thing.
    pub(crate) const fn plain(text: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            aliases: Vec::new(),
            resolved: true,
        }
    }

    /// The meanings of a path: with `..` taken out by the text alone, as after normalising, and with `..` left in, as
    /// the kernel sees it, for which the folder before may be a link to anywhere.
    pub(crate) fn of_path(path: &str) -> Vec<Reading<'static>> {
        let kept = tidy(path);
        let resolved = resolve(&kept, |_| true);
        let known = saferun_scanner::normal_path(path);
        // `$HOME/x` is relative as it stands, and what it becomes is not.
        let expands = !resolved.starts_with(['/', '~']) && known.starts_with(['/', '~']);
        let expanded = expands.then(|| known.clone());
        let mut aliases = Vec::new();
        for alias in [known, from_root(&resolved)] {
            if alias != resolved && !alias.is_empty() && !aliases.contains(&alias) {
                aliases.push(alias);
            }
        }
        let apart = kept != resolved;
        let mut readings = vec![Reading {
            text: Cow::Owned(resolved),
            aliases,
            resolved: true,
        }];
        if apart {
            readings.push(Reading {
                text: Cow::Owned(kept),
                aliases: Vec::new(),
                resolved: false,
            });
        }
        readings.extend(expanded.map(|text| Reading {
            text: Cow::Owned(text),
            aliases: Vec::new(),
            resolved: true,
        }));
        readings
    }
}

/// A glob over paths. A folder's pattern speaks of all that is in the folder.
#[derive(Debug, Clone)]
pub(crate) struct PathPattern {
    /// How the glob reads after tidying, for its weight.
    pub(crate) text: String,
    glob: Glob,
    /// Made of the glob when a path is first compared, and shared by all copies.
    matcher: Arc<OnceLock<GlobMatcher>>,
    /// It is relative: what is absolute, at home or further up is none of its business.
    working: bool,
    /// `..` in it.
    climbs: usize,
}

impl PathPattern {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let whole = tidy(text);
        let clean = resolve(&whole, is_literal);
        let left_out = clean.starts_with("**") && !text.starts_with("**");
        let working = clean == "." || left_out || (text.starts_with("./") && climbs(&clean) == 0);
        let build = |pattern: &str| {
            GlobBuilder::new(pattern)
                .literal_separator(true)
                .backslash_escape(true)
                .empty_alternates(true)
                .build()
                .map_err(|error| format!("`{text}` is not a glob: {}", error.kind()))
        };
        // What is wrong is told of the pattern as it was written.
        let glob =
            build(&with_inside(&clean)).map_err(|error| build(&clean).err().unwrap_or(error))?;
        if untidy_in_braces(&clean) {
            return Err(format!(
                "`{text}` has `.`, `..` or an empty part at a brace, and no path that is compared has one there"
            ));
        }
        Ok(Self {
            glob,
            matcher: Arc::default(),
            working,
            climbs: climbs(&clean),
            text: clean,
        })
    }

    /// The text of a reading that the pattern speaks of, to allow or to block it.
    pub(crate) fn spoken<'r>(&self, reading: &'r Reading<'_>, say: Say) -> Option<&'r str> {
        let own = self.matches(&reading.text);
        match say {
            Say::Allow => {
                // A `..` that is still there leads anywhere: no `*` may stand for it.
                let settled = !reading.resolved
                    || climbs(&reading.text) == self.climbs
                    || (self.text.starts_with("**") && !self.working);
                let short = reading.text.len() <= MAX_LENGTH;
                (own && settled && short && self.begins_like(&reading.text))
                    .then_some(&*reading.text)
            }
            Say::Block if own || reading.text.len() > MAX_LENGTH => Some(&*reading.text),
            Say::Block => reading
                .aliases
                .iter()
                .map(String::as_str)
                .find(|alias| self.matches(alias)),
        }
    }

    /// Whether what is absolute or at home is meant as such: for the `*` of `*/x` stand names of the working folder.
    fn begins_like(&self, path: &str) -> bool {
        let everywhere = self.text.starts_with("**") && !self.working;
        !path.starts_with(['/', '~']) || everywhere || !Beginning::of(&self.text).wild
    }

    /// Whether it names a place that is not below the working folder.
    pub(crate) fn lies_outside(&self) -> bool {
        let first = Beginning::of(&self.text).literals;
        self.climbs > 0 || first.contains(&'/') || first.contains(&'~')
    }

    fn matches(&self, path: &str) -> bool {
        if path.len() > MAX_LENGTH || (self.working && !in_working_folder(path)) {
            return false;
        }
        let compile = || self.glob.compile_matcher();
        self.matcher.get_or_init(compile).is_match(path)
    }
}

/// A glob that speaks of what another one does and of all that is inside of it.
fn with_inside(clean: &str) -> String {
    match clean {
        "." | "**" => "**".to_owned(),
        "/" => "/**".to_owned(),
        all if all.ends_with("/**") => all.to_owned(),
        folder => format!("{folder}{{,/**}}"),
    }
}

/// With what the texts may begin that a glob speaks of, over all choices among its alternatives.
#[derive(Debug, Default)]
struct Beginning {
    literals: BTreeSet<char>,
    /// With what a class or a star stands for: a class that is negated and `?` take a `/` or a `~`, too. What is
    /// escaped counts as that as well as a literal.
    wild: bool,
}

impl Beginning {
    fn of(glob: &str) -> Self {
        let mut beginning = Self::default();
        // Whether nothing may have been read so far: now, before the open braces, and at the end of a choice in them.
        let mut nothing = true;
        let mut open: Vec<(bool, bool)> = Vec::new();
        let mut characters = glob.chars().peekable();
        while let Some(character) = characters.next() {
            match (character, open.last_mut()) {
                ('{', _) => open.push((nothing, false)),
                (',', Some((begun, done))) => {
                    *done |= nothing;
                    nothing = *begun;
                }
                ('}', Some((_, done))) => {
                    nothing |= *done;
                    open.pop();
                }
                (other, _) => {
                    let literal = match other {
                        '[' => {
                            skip_class(&mut characters);
                            None
                        }
                        '\\' => characters.next(),
                        '*' | '?' => None,
                        other => Some(other),
                    };
                    if nothing {
                        beginning.wild |= literal != Some(other);
                        beginning.literals.extend(literal);
                    }
                    nothing = false;
                }
            }
            if !nothing && open.is_empty() {
                return beginning;
            }
        }
        // What is inside of it begins with a `/`.
        beginning.wild = true;
        beginning
    }
}

/// What was read of a part of a path so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// Nothing of the whole path.
    Nothing,
    Empty,
    Dot,
    DotDot,
    Name,
}

impl Part {
    const fn then(self, character: char) -> Self {
        match (self, character) {
            (_, '/') => Self::Empty,
            (Self::Nothing | Self::Empty, '.') => Self::Dot,
            (Self::Dot, '.') => Self::DotDot,
            _ => Self::Name,
        }
    }
}

/// Whether some choice among a glob's alternatives has a part that tidying takes out of each path: such a choice would
/// speak of nothing. Parts that no brace touches are as their writer put them.
fn untidy_in_braces(glob: &str) -> bool {
    type Ways = BTreeSet<(Part, bool)>;
    let touch = |ways: &Ways| -> Ways { ways.iter().map(|(part, _)| (*part, true)).collect() };
    let untidy = |ways: &Ways| {
        ways.iter()
            .any(|way| matches!(way, (Part::Empty | Part::Dot | Part::DotDot, true)))
    };
    let mut ways = Ways::from([(Part::Nothing, false)]);
    let mut open: Vec<(Ways, Ways)> = Vec::new();
    let mut characters = glob.chars().peekable();
    while let Some(character) = characters.next() {
        let character = match character {
            '{' => {
                ways = touch(&ways);
                open.push((ways.clone(), Ways::new()));
                continue;
            }
            ',' | '}' if !open.is_empty() => {
                let Some((begun, mut done)) = open.pop() else {
                    continue;
                };
                done.append(&mut touch(&ways));
                if character == ',' {
                    ways.clone_from(&begun);
                    open.push((begun, done));
                } else {
                    ways = done;
                }
                continue;
            }
            '[' => {
                skip_class(&mut characters);
                'x'
            }
            '\\' => characters.next().unwrap_or('\\'),
            other => other,
        };
        if character == '/' && untidy(&ways) {
            return true;
        }
        let inside = !open.is_empty();
        let next = |(part, touched): &(Part, bool)| {
            let whole = character != '/' && *touched;
            (part.then(character), inside || whole)
        };
        ways = ways.iter().map(next).collect();
    }
    untidy(&ways) || ways.contains(&(Part::Nothing, true))
}

/// Goes on to behind the `]` of a class.
fn skip_class(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    characters.next_if(|c| matches!(c, '!' | '^'));
    characters.next();
    for character in characters {
        if character == ']' {
            return;
        }
    }
}

/// Without `.`, doubled and trailing slashes.
fn tidy(path: &str) -> String {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    let root = if path.starts_with('/') { "/" } else { "" };
    let tidy = format!("{root}{}", parts.join("/"));
    if tidy.is_empty() && !path.is_empty() {
        return ".".to_owned();
    }
    tidy
}

/// Takes `..` out of a tidy path together with the part before it, where that part is of a known depth.
fn resolve(path: &str, known: impl Fn(&str) -> bool) -> String {
    if path.is_empty() {
        return String::new();
    }
    let (root, rest) = match path.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", path),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in rest.split('/').filter(|part| !part.is_empty()) {
        match (part, parts.last()) {
            // What is above the root is the root.
            ("..", None) if !root.is_empty() => {}
            ("..", Some(last)) if is_folder(last, parts.len(), root) && known(last) => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    tidy(&if parts.is_empty() && root.is_empty() {
        ".".to_owned()
    } else {
        format!("{root}{}", parts.join("/"))
    })
}

/// Whether a part has a parent that the text names: `..` has none, and nor has a home folder.
fn is_folder(part: &str, depth: usize, root: &str) -> bool {
    let home = depth == 1 && root.is_empty() && part.starts_with('~');
    part != ".." && !home
}

/// Whether a part of a glob stands for itself alone.
fn is_literal(part: &str) -> bool {
    !part.contains(['*', '?', '[', ']', '{', '}', ',', '\\'])
}

/// Whether an entry for this path would speak of all that there is somewhere: of the root, a home folder, the working
/// folder or one above it.
pub(crate) fn is_sweeping(path: &str) -> bool {
    let sweeps = |path: &str| {
        let clean = resolve(&tidy(path), |_| true);
        clean.split('/').enumerate().all(|(depth, part)| {
            matches!(part, "" | "." | "..") || (depth == 0 && part.starts_with('~'))
        })
    };
    sweeps(path) || sweeps(&saferun_scanner::normal_path(path))
}

fn climbs(path: &str) -> usize {
    path.split('/').filter(|part| *part == "..").count()
}

fn in_working_folder(path: &str) -> bool {
    !path.starts_with(['/', '~']) && path != ".." && !path.starts_with("../")
}

/// What climbs out of the working folder, or of home, ends at the root where it climbs far enough.
fn from_root(resolved: &str) -> String {
    let rest = resolved.split_once('/').filter(|(first, rest)| {
        first.starts_with('~') && (*rest == ".." || rest.starts_with("../"))
    });
    let rest = rest.map_or(resolved, |(_, rest)| rest);
    let inside: Vec<&str> = rest.split('/').skip_while(|part| *part == "..").collect();
    if inside.len() == rest.split('/').count() {
        return String::new();
    }
    format!("/{}", inside.join("/"))
}

#[cfg(test)]
#[path = "paths_tests.rs"]
mod tests;
