//! Lists of changes that a hostile program has made up.

use super::*;

fn planted() -> Vec<Change> {
    let mut hook = change(".git/hooks/pre-commit", None, Some("#!/bin/sh\nexit\n"));
    hook.after.as_mut().unwrap().mode = 0o755;
    vec![
        folder_change(".git", ChangeKind::Created),
        folder_change(".git/hooks", ChangeKind::Created),
        hook,
        change(".saferun.yaml", None, Some("version: 1\n")),
        change("conftest.py", None, Some("x = 1\n")),
        change("kept.py", None, Some("x = 1\n")),
    ]
}

#[test]
fn what_runs_by_itself_is_not_applied_with_everything_else() {
    let place = Project::new(FILES);
    place.apply(planted(), &all()).unwrap();
    let after = place.entries();
    assert!(after.contains_key("kept.py"));
    for path in [
        ".git",
        ".git/hooks/pre-commit",
        ".saferun.yaml",
        "conftest.py",
    ] {
        assert!(!after.contains_key(path), "{path}");
    }
    let mut effects = Effects::default();
    effects.changes = planted();
    let chosen = choose(&effects, &place.originals, &all(), None).unwrap();
    assert_eq!(chosen.left_out.len(), 5, "each is told: {chosen:?}");
}

#[test]
fn by_its_name_a_test_hook_is_applied_and_a_hook_of_git_never() {
    let place = Project::new(FILES);
    let by_name = |path: &str| Choice {
        patterns: vec![path.to_owned()],
        ..Choice::default()
    };
    place.apply(planted(), &by_name("conftest.py")).unwrap();
    assert!(place.entries().contains_key("conftest.py"));
    let before = place.entries();
    for path in [".git/hooks/pre-commit", ".saferun.yaml"] {
        let refused = place.apply(planted(), &by_name(path)).unwrap_err();
        assert!(
            refused.text().contains("never applied"),
            "{}",
            refused.text()
        );
    }
    // A pattern that catches it is not its name.
    place.apply(planted(), &by_name(".git*")).unwrap();
    assert_eq!(place.entries(), before);
}

#[test]
fn a_list_that_contradicts_itself_is_refused_before_the_first_step() {
    let place = Project::new(FILES);
    let before = place.entries();
    for changes in [
        vec![change("x", None, Some("1")), change("x/y", None, Some("2"))],
        vec![change("x", None, Some("1")), change("X", None, Some("2"))],
        vec![
            folder_change("x", ChangeKind::Created),
            change("x", None, Some("1")),
        ],
    ] {
        assert!(place.apply(changes, &all()).is_err());
        assert_eq!(place.entries(), before);
        assert!(place.journals().all().unwrap().is_empty());
    }
}

#[test]
fn an_interrupted_apply_guards_the_folders_above_and_below_it() {
    let place = Project::new(FILES);
    let journals = place.journals();
    let below = place.root().join("b");
    journals.create(&below, Vec::new()).unwrap();
    drop(journals);
    let refused = place.apply(planted(), &all()).unwrap_err();
    assert!(
        refused.text().contains("was interrupted"),
        "{}",
        refused.text()
    );
}

#[test]
fn a_file_keeps_its_owner_or_is_not_replaced() {
    use nix::unistd::{Gid, Uid, geteuid, setfsuid};
    use std::os::unix::fs::{MetadataExt, chown};

    if !geteuid().is_root() {
        eprintln!("SKIPPED: whose a file is after an apply, because only root can give files away");
        return;
    }
    let place = Project::new(FILES);
    let file = place.root().join("a.txt");
    chown(&file, Some(4001), Some(4002)).unwrap();
    let owner = || {
        let meta = fs::metadata(&file).unwrap();
        (meta.uid(), meta.gid())
    };
    place.apply(each_kind(), &all()).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "A");
    assert_eq!(owner(), (4001, 4002));
    let mut journal = place.journals().all().unwrap().pop().unwrap();
    carry(&mut journal, Side::Before).unwrap();
    assert_eq!(
        (fs::read_to_string(&file).unwrap().as_str(), owner()),
        ("a", (4001, 4002))
    );
    // A user who may write in the folder, but cannot give files away.
    chown(place.root(), Some(4003), Some(Gid::current().as_raw())).unwrap();
    fs::set_permissions(place.dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let folder = Folder::open(&place.root()).unwrap();
    let other = std::thread::spawn(move || {
        // Of this thread alone.
        setfsuid(Uid::from_raw(4003));
        folder.place("a.txt", ".beside", b"mine", 0o644, true)
    });
    let refused = other.join().unwrap().unwrap_err();
    assert!(
        refused.to_string().contains("belongs to another user"),
        "{refused}"
    );
    assert_eq!(
        (fs::read_to_string(&file).unwrap().as_str(), owner()),
        ("a", (4001, 4002))
    );
    assert!(!place.root().join(".beside").exists());
}
