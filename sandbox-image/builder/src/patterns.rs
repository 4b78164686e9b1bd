//! The removal list: which paths of the packages stay out of the image. Pure.

/// A parsed removal list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patterns {
    remove: Vec<String>,
    keep: Vec<String>,
}

impl Patterns {
    pub(crate) fn parse(text: &str) -> Self {
        let mut patterns = Self::default();
        for line in text.lines().map(str::trim) {
            match line.strip_prefix('!') {
                _ if line.is_empty() || line.starts_with('#') => {}
                Some(kept) => patterns.keep.push(kept.to_owned()),
                None => patterns.remove.push(line.to_owned()),
            }
        }
        patterns
    }

    /// Whether the path, relative to the root, stays out.
    pub(crate) fn removes(&self, path: &str) -> bool {
        self.remove.iter().any(|pattern| covers(pattern, path))
            && !self.keep.iter().any(|pattern| covers(pattern, path))
    }
}

/// Whether the pattern matches the path or a folder above it.
fn covers(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    pattern
        .split('/')
        .all(|wanted| parts.next().is_some_and(|part| matches(wanted, part)))
}

/// Matches one component; `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(head) else {
        return false;
    };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    // `split` gives at least one piece.
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match left.find(piece) {
            Some(at) => left = &left[at + piece.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_a_tree_and_a_keeper_saves_a_file() {
        let patterns = Patterns::parse("# note\nusr/share/doc\n!usr/share/doc/*/copyright\n\n");
        assert!(patterns.removes("usr/share/doc"));
        assert!(patterns.removes("usr/share/doc/bash/README"));
        assert!(!patterns.removes("usr/share/doc/bash/copyright"));
        assert!(!patterns.removes("usr/share/docs"));
        assert!(!patterns.removes("usr/share"));
    }

    #[test]
    fn stars_stay_within_a_component() {
        for (pattern, text, expected) in [
            ("apt*", "apt-get", true),
            ("apt*", "xapt", false),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abce", true),
            ("a*e", "ae", true),
            ("a*ab", "ab", false),
            ("*", "anything", true),
            ("exact", "exactly", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(covers(
            "usr/lib/*/perl*",
            "usr/lib/x86_64-linux-gnu/perl5/a"
        ));
        assert!(!covers("usr/lib/*/perl*", "usr/lib/perl5"));
    }

    #[test]
    fn the_list_of_the_image_leaves_the_interpreter_alone() {
        let patterns = Patterns::parse(crate::inputs::REMOVE);
        for path in [
            "usr/bin/python3",
            "usr/lib/python3.11/os.py",
            "usr/lib/python3.11/tarfile.py",
            "usr/bin/sh",
            "usr/share/zoneinfo/Europe/Paris",
            "usr/lib/x86_64-linux-gnu/libsqlite3.so.0",
        ] {
            assert!(!patterns.removes(path), "{path}");
        }
        for path in [
            "usr/bin/dpkg",
            "usr/bin/apt-get",
            "etc/apt/sources.list",
            "usr/bin/su",
        ] {
            assert!(patterns.removes(path), "{path}");
        }
    }
}
