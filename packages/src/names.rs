//! The bundled lists, and looking names up in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Longest name that is looked at, in bytes. PyPI's longest are below this.
pub(crate) const MAX_NAME: usize = 100;

static STANDARD: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| lines(include_str!("../data/stdlib.list")).collect());

static KNOWN: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| lines(include_str!("../data/known.list")).collect());

static IMPORTS: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
    lines(include_str!("../data/imports.list"))
        .filter_map(|line| line.split_once(' '))
        .collect()
});

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Whether a top-level module belongs to CPython's standard library.
#[must_use]
pub fn is_standard(module: &str) -> bool {
    STANDARD.contains(module)
}

/// Whether a project of this name (in any spelling) is well known.
#[must_use]
pub fn is_known(project: &str) -> bool {
    let name = normalise(project);
    KNOWN.contains(name.as_str()) || IMPORTS.values().any(|known| *known == name)
}

/// The project that brings a top-level module: by the table of exceptions, else of the same name.
#[must_use]
pub fn project_of(module: &str) -> String {
    IMPORTS
        .get(module)
        .map_or_else(|| normalise(module), |name| (*name).to_owned())
}

/// A project's name in normal form (PEP 503): small letters, runs of `-`, `_` and `.` as one `-`.
#[must_use]
pub fn normalise(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for letter in name.chars() {
        if matches!(letter, '-' | '_' | '.') {
            if !out.ends_with('-') {
                out.push('-');
            }
        } else {
            out.extend(letter.to_lowercase());
        }
    }
    out
}

/// The known project or standard module whose name is one or two slips away, if just one is nearest.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    let wanted = normalise(name);
    if wanted.len() < 4 || wanted.len() > MAX_NAME {
        return None;
    }
    let most = if wanted.len() < 7 { 1 } else { 2 };
    let mut best: Option<(usize, &'static str)> = None;
    let mut ties = 0;
    for candidate in KNOWN.iter().chain(STANDARD.iter()).copied() {
        if candidate.len().abs_diff(wanted.len()) > most {
            continue;
        }
        let slips = distance(&wanted, candidate);
        match best {
            Some((least, _)) if slips > least => {}
            Some((least, _)) if slips == least => ties += 1,
            _ if slips <= most => {
                best = Some((slips, candidate));
                ties = 0;
            }
            _ => {}
        }
    }
    best.filter(|_| ties == 0).map(|(_, name)| name)
}

/// Levenshtein's distance, over bytes.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, other) in right.bytes().enumerate() {
            let changed = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sound() {
        assert!(KNOWN.len() > 3_000 && STANDARD.len() > 250 && IMPORTS.len() > 50);
        for name in KNOWN.iter().chain(IMPORTS.values()) {
            assert_eq!(&normalise(name), name);
        }
    }

    #[test]
    fn modules_lead_to_their_projects() {
        for (module, project) in [
            ("sklearn", "scikit-learn"),
            ("PIL", "pillow"),
            ("yaml", "pyyaml"),
            ("numpy", "numpy"),
            ("typing_extensions", "typing-extensions"),
        ] {
            assert_eq!(project_of(module), project);
            assert!(is_known(project), "{project}");
        }
        assert!(is_standard("json") && !is_standard("numpy"));
        assert!(!is_known("fastjsonx_turbo_utils"));
    }

    #[test]
    fn a_slip_finds_its_name_and_a_new_word_none() {
        assert_eq!(nearest("matplotib"), Some("matplotlib"));
        assert_eq!(nearest("pandsa_extra_tools"), None);
        assert_eq!(nearest("ab"), None);
        assert_eq!(nearest(&"x".repeat(5000)), None);
    }
}
