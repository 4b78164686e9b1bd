//! Paths as the rules see them: normalised over platforms and spellings, and matched against patterns.

use memchr::memmem::Finder;

use crate::engine::value::HOLE;

/// One spelling for all ways to write a path: `~` for any home, `/` between parts, no `.` and `..`. By the text alone.
#[must_use]
pub fn normalise(path: &str) -> String {
    let mut text = path.trim().replace('\\', "/");
    for prefix in ["file://", "//?/"] {
        if let Some(rest) = text.strip_prefix(prefix) {
            text = rest.to_owned();
        }
    }
    for (name, meaning) in [
        ("${HOME}", "~"),
        ("$HOME", "~"),
        ("%USERPROFILE%", "~"),
        ("%APPDATA%", "~/AppData/Roaming"),
        ("%LOCALAPPDATA%", "~/AppData/Local"),
    ] {
        if text.contains(name) {
            text = text.replace(name, meaning);
        }
    }
    let absolute = text.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if parts
                .last()
                .is_some_and(|last| *last != ".." && *last != "~") =>
            {
                parts.pop();
            }
            ".." if absolute => {}
            other => parts.push(other),
        }
    }
    let mut joined = parts.join("/");
    if absolute {
        joined.insert(0, '/');
    }
    if joined.is_empty() && !text.is_empty() {
        joined.push('.');
    }
    if let Some(rest) = joined.strip_prefix("/proc/self/root")
        && (rest.is_empty() || rest.starts_with('/'))
    {
        joined = if rest.is_empty() {
            "/".to_owned()
        } else {
            rest.to_owned()
        };
    }
    home_of(&joined)
}

fn home_of(path: &str) -> String {
    let lower = path.to_ascii_lowercase();
    for users in ["/home/", "/users/", "c:/users/", "/var/users/"] {
        if lower.starts_with(users) {
            let rest = &path[users.len()..];
            return match rest.split_once('/') {
                Some((_, inside)) => format!("~/{inside}"),
                None => "~".to_owned(),
            };
        }
    }
    if path == "/root" || path.starts_with("/root/") {
        return path.replacen("/root", "~", 1);
    }
    // `~name` is a home as well.
    if path.starts_with('~') && !path.starts_with("~/") && path != "~" {
        return match path.split_once('/') {
            Some((_, inside)) => format!("~/{inside}"),
            None => "~".to_owned(),
        };
    }
    path.to_owned()
}

/// A pattern of paths, prepared once: `*` within a part, `**` over parts, whatever the case.
#[derive(Debug)]
pub(crate) struct Pattern {
    lower: String,
    /// The pattern without the folder that it starts in.
    inside: String,
    /// What every path that matches contains, prepared: most paths hold none of them.
    needle: Finder<'static>,
}

impl Pattern {
    pub(crate) fn new(pattern: &str) -> Self {
        let lower = pattern.to_ascii_lowercase();
        let longest = lower.split('*').max_by_key(|part| part.len()).unwrap_or("");
        Self {
            inside: lower
                .trim_start_matches("~/")
                .trim_start_matches('/')
                .to_owned(),
            needle: Finder::new(longest.trim_start_matches("~/").trim_matches('/')).into_owned(),
            lower,
        }
    }

    /// A hole at the start of the path stands for any folder.
    pub(crate) fn matches(&self, path: &Lowered) -> bool {
        if self.needle.find(path.lower.as_bytes()).is_none() {
            return false;
        }
        let whole = || glob(self.lower.as_bytes(), path.lower.as_bytes());
        match path.lower.strip_prefix(HOLE) {
            Some(rest) => {
                glob(
                    self.inside.as_bytes(),
                    rest.trim_start_matches('/').as_bytes(),
                ) || whole()
            }
            None => whole(),
        }
    }
}

/// A normalised path as patterns compare it.
#[derive(Debug)]
pub(crate) struct Lowered {
    lower: String,
}

impl Lowered {
    pub(crate) fn new(normal: &str) -> Self {
        Self {
            lower: normal.to_ascii_lowercase(),
        }
    }
}

/// Backtracks to the last star only, so the time is bounded by the product of the lengths.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize, bool)> = None;
    let mut deep: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == b'*' {
            let double = pattern.get(p + 1) == Some(&b'*');
            let next = if double { p + 2 } else { p + 1 };
            // `**/` also stands for no folder at all.
            let next =
                if double && pattern.get(next) == Some(&b'/') && (t == 0 || text[t - 1] == b'/') {
                    deep = Some((next, t));
                    next + 1
                } else {
                    next
                };
            star = Some((next, t, double));
            if double {
                deep = Some((next, t));
            }
            p = next;
            continue;
        }
        if t < text.len() && p < pattern.len() && pattern[p] == text[t] {
            p += 1;
            t += 1;
            continue;
        }
        if t == text.len() && p == pattern.len() {
            return true;
        }
        match star {
            Some((after, from, double)) if from < text.len() && (double || text[from] != b'/') => {
                star = Some((after, from + 1, double));
                p = after;
                t = from + 1;
            }
            _ => match deep {
                Some((after, from)) if from < text.len() => {
                    deep = Some((after, from + 1));
                    star = Some((after, from + 1, true));
                    p = after;
                    t = from + 1;
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Pattern::new(pattern).matches(&Lowered::new(path))
    }

    #[test]
    fn normalises_spellings() {
        assert_eq!(normalise("/home/ann/.ssh/id_rsa"), "~/.ssh/id_rsa");
        assert_eq!(normalise("C:\\Users\\ann\\AppData"), "~/AppData");
        assert_eq!(normalise("/etc/../etc//./shadow"), "/etc/shadow");
        assert_eq!(normalise("/proc/self/root/etc/shadow"), "/etc/shadow");
        assert_eq!(normalise("/proc/self/root"), "/");
        assert_eq!(normalise("/proc/self/rootkit"), "/proc/self/rootkit");
        assert_eq!(normalise("/root/.aws/credentials"), "~/.aws/credentials");
    }

    #[test]
    fn matches_patterns() {
        assert!(matches("~/.ssh/**", "~/.ssh/id_rsa"));
        assert!(matches("**/.env", ".env"));
        assert!(matches("**/.env", "app/.env"));
        assert!(matches("~/.ssh/**", "\u{FFFC}/.ssh/id_ed25519"));
        assert!(matches("/dev/sd*", "/dev/sda1"));
        assert!(!matches("/dev/sd*", "/dev/null"));
        assert!(!matches("**/.env", "environment.py"));
        assert!(matches(
            "**/google/chrome/**/login data",
            "~/x/Google/Chrome/Default/Login Data"
        ));
    }
}
