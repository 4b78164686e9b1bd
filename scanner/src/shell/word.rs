//! The plain data that the shell judge works on: expanded words, redirections, commands.

use super::HOLE;

/// One word after quotes, variables and braces were resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// The text; unknown parts are [`HOLE`], the home folder is `~`.
    pub text: String,
    /// Whether an unquoted `*`, `?` or `[` is in it.
    pub glob: bool,
    /// The raw text of each command substitution in it.
    pub substitutions: Vec<String>,
    /// Whether one of the substitutions is a process substitution, `<(...)`.
    pub process: bool,
}

impl Word {
    pub(super) fn literal(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn unknown() -> Self {
        Self::literal(&HOLE.to_string())
    }

    pub(super) fn is_known(&self) -> bool {
        !self.text.contains(HOLE)
    }
}

/// A redirection with its operator as written, without the descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redirect {
    /// `>`, `>>`, `<`, `<<<`, `&>` and so on.
    pub operator: String,
    /// The file, or the text of a here-string.
    pub target: Word,
}

impl Redirect {
    pub(super) fn writes(&self) -> bool {
        self.operator.contains('>')
    }

    pub(super) fn truncates(&self) -> bool {
        self.writes() && !self.operator.contains(">>")
    }
}

/// A simple command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Command {
    /// Program and arguments.
    pub words: Vec<Word>,
    /// Its redirections in order.
    pub redirects: Vec<Redirect>,
    /// `NAME=value` in front of it.
    pub assignments: Vec<(String, String)>,
    /// What it reads on standard input, when that is in the text (here-document, here-string).
    pub stdin: Option<String>,
    /// Whether arguments are appended that are not in the text (`xargs`, `find -exec`).
    pub appended: bool,
    /// Byte range in the judged text.
    pub start: usize,
    /// Byte after it.
    pub end: usize,
}

impl Command {
    /// The program's base name in lower case, without unknown parts and without `.exe`.
    pub(super) fn program(&self) -> String {
        let Some(first) = self.words.first() else {
            return String::new();
        };
        let known: String = first.text.chars().filter(|&c| c != HOLE).collect();
        let base = known.rsplit(['/', '\\']).next().unwrap_or_default();
        let mut name = base.to_ascii_lowercase();
        if let Some(stem) = name.strip_suffix(".exe") {
            name = stem.to_owned();
        }
        if first.glob {
            return guess(&known, &name);
        }
        name
    }

    /// The arguments after the program.
    pub(super) fn arguments(&self) -> &[Word] {
        self.words.get(1..).unwrap_or_default()
    }

    /// Whether an argument equals one of the given texts.
    pub(super) fn has(&self, options: &[&str]) -> bool {
        self.arguments()
            .iter()
            .any(|word| options.contains(&word.text.as_str()))
    }

    /// Whether a short option letter stands in a cluster such as `-rf`.
    pub(super) fn has_letter(&self, letter: char) -> bool {
        self.arguments().iter().any(|word| {
            word.text.strip_prefix('-').is_some_and(|rest| {
                !rest.starts_with('-')
                    && rest.contains(letter)
                    && rest.chars().all(|c| c.is_ascii_alphanumeric())
            })
        })
    }

    /// The arguments that are not options.
    pub(super) fn operands(&self) -> impl Iterator<Item = &Word> {
        let mut plain = false;
        self.arguments().iter().filter(move |word| {
            if !plain && word.text == "--" {
                plain = true;
                return false;
            }
            plain || !word.text.starts_with('-') || word.text == "-"
        })
    }

    /// The value of an option, as `-o value`, `--out value` or `--out=value`.
    pub(super) fn value_of(&self, options: &[&str]) -> Option<&Word> {
        let position = self
            .arguments()
            .iter()
            .position(|word| options.contains(&word.text.as_str()))?;
        self.arguments().get(position + 1)
    }

    /// The command as one line for messages, cut to a readable length.
    pub(super) fn line(&self) -> String {
        let mut line = String::new();
        for word in &self.words {
            if line.len() > 70 {
                line.push_str(" …");
                break;
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.extend(
                word.text
                    .chars()
                    .take(60)
                    .map(|c| if c == HOLE { '…' } else { c }),
            );
        }
        line
    }
}

/// Programs that somebody might want to hide behind a pattern such as `/???/r?`.
const HIDDEN: [(&str, &str); 12] = [
    ("/bin/rm", "rm"),
    ("/usr/bin/rm", "rm"),
    ("/bin/dd", "dd"),
    ("/bin/sh", "sh"),
    ("/bin/bash", "bash"),
    ("/usr/bin/curl", "curl"),
    ("/usr/bin/wget", "wget"),
    ("/bin/nc", "nc"),
    ("/usr/bin/nc", "nc"),
    ("/bin/cat", "cat"),
    ("/usr/bin/python3", "python3"),
    ("/bin/chmod", "chmod"),
];

fn guess(pattern: &str, base: &str) -> String {
    HIDDEN
        .iter()
        .find(|(path, name)| matches(pattern, path) || matches(pattern, name))
        .map_or_else(|| base.to_owned(), |(_, name)| (*name).to_owned())
}

/// Shell pattern matching with `*`, `?` and `[...]`, linear but for a single backtracking point.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            retry = Some((p, t));
            p += 1;
            continue;
        }
        if let Some(next) = one(&pattern, p, text[t]) {
            p = next;
            t += 1;
            continue;
        }
        match retry {
            Some((star, at)) if text[at] != '/' => {
                retry = Some((star, at + 1));
                p = star + 1;
                t = at + 1;
            }
            _ => return false,
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

fn one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match *pattern.get(at)? {
        '?' => (c != '/').then_some(at + 1),
        '[' => {
            let close = pattern[at..].iter().skip(2).position(|&x| x == ']')? + at + 2;
            let inside = &pattern[at + 1..close];
            let (negated, set) = match inside.first() {
                Some('!' | '^') => (true, &inside[1..]),
                _ => (false, inside),
            };
            let hit = set.contains(&c)
                || set
                    .windows(3)
                    .any(|w| w[1] == '-' && w[0] <= c && c <= w[2]);
            (hit != negated).then_some(close + 1)
        }
        literal => (literal == c).then_some(at + 1),
    }
}
