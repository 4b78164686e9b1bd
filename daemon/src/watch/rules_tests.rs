//! The rules beside the `ignore` crate's own walk, over random trees; and the policy's globs.

use std::{collections::BTreeSet, fs};

use ignore::WalkBuilder;
use proptest::prelude::*;

use super::*;

/// The files under a folder that these rules would look at.
fn chosen(root: &Path, rules: &mut Rules) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let absolute = root.join(&folder);
        let found = beneath::root(&absolute).unwrap();
        rules.read(&absolute, &found);
        for (name, is_dir) in found.list(1_000).unwrap().0 {
            let relative = folder.join(name);
            if rules.ignores(&relative, is_dir) {
                continue;
            }
            if is_dir {
                folders.push(relative);
            } else {
                files.insert(relative);
            }
        }
    }
    files
}

/// The same by the crate's walk, set up as `saferunctl scan` sets it up.
fn walked(root: &Path) -> BTreeSet<PathBuf> {
    WalkBuilder::new(root)
        .hidden(false)
        .follow_links(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .map(|entry| entry.path().strip_prefix(root).unwrap().to_owned())
        .collect()
}

fn compare(lines: &[(usize, &str, Vec<String>)], gits: &[usize], start: usize) {
    const FOLDERS: [&str; 6] = ["", "a", "a/b", "a/build", "c", "c/a"];
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().canonicalize().unwrap();
    for folder in FOLDERS {
        fs::create_dir_all(top.join(folder)).unwrap();
        for file in ["x.py", "y.py", "build.py", "keep.md"] {
            fs::write(top.join(folder).join(file), "").unwrap();
        }
    }
    for (folder, name, lines) in lines {
        fs::write(top.join(FOLDERS[*folder]).join(name), lines.join("\n")).unwrap();
    }
    for git in gits {
        let info = top.join(FOLDERS[*git]).join(".git/info");
        fs::create_dir_all(&info).unwrap();
        fs::write(info.join("exclude"), "y.py\n").unwrap();
    }
    let root = top.join(FOLDERS[start]);
    let mut rules = Rules::new(&root, &[]);
    assert_eq!(
        chosen(&root, &mut rules),
        walked(&root),
        "{lines:?} {gits:?} {start}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_rules_choose_what_the_walk_chooses(
        lines in prop::collection::vec(
            (
                0usize..6,
                prop::sample::select(vec![".gitignore", ".ignore"]),
                prop::collection::vec(
                    prop::sample::select(vec![
                        "x.py", "!x.py", "*.py", "!*.py", "build", "build/", "/a", "a/", "/a/b",
                        "a/**", "**/b", "*.md", "!keep.md", "# no", "", "c/*.py", "/x.py", "[xy].py",
                    ]).prop_map(str::to_owned),
                    1..4,
                ),
            ),
            0..4,
        ),
        gits in prop::collection::vec(0usize..6, 0..2),
        start in prop::sample::select(vec![0usize, 0, 0, 1, 4]),
    ) {
        compare(&lines, &gits, start);
    }
}

#[test]
fn the_policys_globs_hold_at_any_depth_and_for_the_folder() {
    let globs = ["node_modules/**", "*.ipynb", "/top/**", "**/deep/**"].map(str::to_owned);
    let rules = Rules::new(Path::new("/nonexistent"), &globs);
    for skipped in [
        "node_modules",
        "node_modules/a/b.py",
        "web/node_modules",
        "web/node_modules/x.py",
        "a.ipynb",
        "b/a.ipynb",
        "top",
        "top/x.py",
        "a/deep/b.py",
    ] {
        assert!(rules.skips(Path::new(skipped)), "{skipped}");
    }
    for kept in [
        "src/a.py",
        "node_modules.py",
        "web/top/x.py",
        "my_node_modules/a.py",
    ] {
        assert!(!rules.skips(Path::new(kept)), "{kept}");
    }
}

#[test]
fn endings_are_those_of_the_scan() {
    for name in ["a.py", "A.PY", "b.ipynb", "c.md", "d.pyi", ".hidden.py"] {
        assert!(is_scanned(Path::new(name)), "{name}");
    }
    for name in ["a.txt", "py", ".py", "a.py~", "a.pyc"] {
        assert!(!is_scanned(Path::new(name)), "{name}");
    }
}

#[test]
fn the_glob_that_matched_is_named() {
    let globs = NamedGlobs::new(&["generated/**".to_owned(), "*_ai.py".to_owned()]);
    assert_eq!(
        globs.matching(Path::new("generated/a.py")),
        Some("generated/**")
    );
    assert_eq!(globs.matching(Path::new("x/y_ai.py")), Some("*_ai.py"));
    assert_eq!(globs.matching(Path::new("x.py")), None);
}
