//! Applying to real folders: what was chosen and nothing else, nothing at all where it cannot be done, and either side
//! whole after a kill at any moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Cursor,
    os::unix::{
        fs::{PermissionsExt, symlink},
        process::ExitStatusExt,
    },
    process::Command,
    sync::atomic::Ordering,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{Change, ChangeKind, Effects, EntryState, EntryType};
use tempfile::TempDir;

use super::{
    carry::{self, carry},
    choose::choose,
    folder::hash,
    *,
};
use crate::run::Originals;

#[path = "hostile_tests.rs"]
mod hostile;
#[path = "kill_tests.rs"]
mod kills;

const LONG: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20\n";

fn state(content: &[u8], mode: u32) -> EntryState {
    let mut state = EntryState::new(EntryType::File, mode, content.len() as u64);
    state.sha256 = Some(hash(content));
    state
}

fn change(path: &str, before: Option<&str>, after: Option<&str>) -> Change {
    let kind = match (before, after) {
        (None, _) => ChangeKind::Created,
        (_, None) => ChangeKind::Deleted,
        _ => ChangeKind::Modified,
    };
    let mut change = Change::new(Place::Workspace, path.to_owned(), kind);
    change.before = before.map(|text| state(text.as_bytes(), 0o644));
    change.after = after.map(|text| state(text.as_bytes(), 0o644));
    change.content_base64 = after.map(|text| STANDARD.encode(text));
    change
}

fn folder_change(path: &str, kind: ChangeKind) -> Change {
    let mut change = Change::new(Place::Workspace, path.to_owned(), kind);
    let state = Some(EntryState::new(EntryType::Folder, 0o755, 0));
    match kind {
        ChangeKind::Created => change.after = state,
        _ => change.before = state,
    }
    change
}

/// A folder, the journals, what was sent.
struct Project {
    dir: TempDir,
    originals: Originals,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = Self {
            dir,
            originals: Originals::new(),
        };
        place.with(files)
    }

    fn with(mut self, files: &[(&str, &str)]) -> Self {
        fs::create_dir_all(self.root()).unwrap();
        for (path, content) in files {
            let full = self.root().join(path);
            fs::create_dir_all(full.parent().unwrap()).unwrap();
            fs::write(full, content).unwrap();
            let original = crate::run::Original {
                bytes: content.as_bytes().to_vec(),
                executable: false,
            };
            self.originals.insert((*path).to_owned(), original);
        }
        self
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("project")
    }

    fn journals(&self) -> Journals {
        Journals::open(&self.dir.path().join("state")).unwrap()
    }

    fn apply(&self, changes: Vec<Change>, choice: &Choice) -> Result<(), Failure> {
        let mut effects = Effects::default();
        effects.changes = changes;
        let wanted = choose(&effects, &self.originals, choice, None)?.wanted;
        commit(&self.journals(), &self.root(), &wanted)
    }

    /// Every entry with what it holds, and its mode.
    fn entries(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut waiting = vec![self.root()];
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let meta = fs::symlink_metadata(&path).unwrap();
                let name = path
                    .strip_prefix(self.root())
                    .unwrap()
                    .display()
                    .to_string();
                let what = if meta.is_dir() {
                    waiting.push(path);
                    format!("folder {:o}", meta.permissions().mode() & 0o7777)
                } else if meta.is_symlink() {
                    "link".to_owned()
                } else {
                    let content = String::from_utf8(fs::read(&path).unwrap()).unwrap();
                    format!("{:o} {content}", meta.permissions().mode() & 0o7777)
                };
                found.insert(name, what);
            }
        }
        found
    }
}

fn all() -> Choice {
    Choice {
        patterns: vec!["*".to_owned()],
        ..Choice::default()
    }
}

const FILES: &[(&str, &str)] = &[
    ("a.txt", "a"),
    ("b/gone.txt", "gone"),
    ("b/c/gone.txt", "gone"),
    ("keep.txt", "keep"),
    ("long.txt", LONG),
    ("run.sh", "#!/bin/sh\n"),
];

/// Each kind of change once.
fn each_kind() -> Vec<Change> {
    let mut run = change("run.sh", Some("#!/bin/sh\n"), Some("#!/bin/sh\n"));
    run.after.as_mut().unwrap().mode = 0o6777;
    vec![
        change("a.txt", Some("a"), Some("A")),
        change("long.txt", Some(LONG), Some("short\n")),
        folder_change("new", ChangeKind::Created),
        folder_change("new/deep", ChangeKind::Created),
        change("new/deep/file.py", None, Some("x = 1\n")),
        run,
        folder_change("b", ChangeKind::Deleted),
        folder_change("b/c", ChangeKind::Deleted),
        change("b/c/gone.txt", Some("gone"), None),
        change("b/gone.txt", Some("gone"), None),
    ]
}

#[test]
fn all_is_applied_and_undone_again() {
    let place = Project::new(FILES);
    fs::set_permissions(place.root().join("a.txt"), PermissionsExt::from_mode(0o600)).unwrap();
    let before = place.entries();
    place.apply(each_kind(), &all()).unwrap();
    let after = place.entries();
    assert_eq!(after["a.txt"], "600 A", "the mode is the user's");
    let executable = u32::from_str_radix(after["run.sh"].split(' ').next().unwrap(), 8).unwrap();
    assert_eq!(executable & 0o7100, 0o100, "executable, and no setuid");
    assert_eq!(
        executable & 0o022,
        u32::from_str_radix(before["run.sh"].split(' ').next().unwrap(), 8).unwrap() & 0o022
    );
    assert_eq!(after["long.txt"].split_once(' ').unwrap().1, "short\n");
    assert!(after["new/deep/file.py"].ends_with("x = 1\n"));
    assert!(!after.contains_key("b") && after.contains_key("keep.txt"));
    let journals = place.journals();
    let mut journal = journals.all().unwrap().pop().unwrap();
    assert_eq!(journal.stage, Stage::Applied);
    carry(&mut journal, Side::Before).unwrap();
    assert_eq!(place.entries(), before);
    assert_eq!(journals.all().unwrap().pop().unwrap().stage, Stage::Undone);
}

#[test]
fn a_folder_comes_back_with_its_mode_and_a_file_with_a_setuid_bit_is_never_touched() {
    let set = |place: &Project, path: &str, mode| {
        let mode = PermissionsExt::from_mode(mode);
        fs::set_permissions(place.root().join(path), mode).unwrap();
    };
    let place = Project::new(FILES);
    set(&place, "b", 0o2750);
    set(&place, "b/c", 0o1777);
    let before = place.entries();
    place.apply(each_kind(), &all()).unwrap();
    let mut journal = place.journals().all().unwrap().pop().unwrap();
    carry(&mut journal, Side::Before).unwrap();
    assert_eq!(place.entries(), before);
    for mode in [0o4755, 0o2755, 0o1644] {
        let place = Project::new(FILES);
        set(&place, "run.sh", mode);
        let before = place.entries();
        let failure = place.apply(each_kind(), &all()).unwrap_err();
        assert!(
            failure.message.contains("run.sh: it has a setuid"),
            "{}",
            failure.message
        );
        assert_eq!(place.entries(), before);
    }
}

#[test]
fn what_is_chosen_by_pattern_or_by_hunk_is_applied_and_nothing_else() {
    let place = Project::new(FILES);
    let two = LONG
        .replace("2\n3\n", "2\ntwo\n3\n")
        .replace("19\n", "nineteen\n");
    let changes = vec![
        change("a.txt", Some("a"), Some("A")),
        change("long.txt", Some(LONG), Some(&two)),
        change("new/x.py", None, Some("x")),
    ];
    let choice = Choice {
        patterns: vec!["*.py".to_owned()],
        hunks: vec![("long.txt".to_owned(), 2)],
    };
    place.apply(changes.clone(), &choice).unwrap();
    let after = place.entries();
    assert!(after["a.txt"].ends_with(" a"));
    assert!(after["new/x.py"].ends_with(" x"));
    assert!(after["long.txt"].ends_with("18\nnineteen\n20\n"));
    assert!(!after["long.txt"].contains("two"));
    for (patterns, hunks) in [
        (vec!["nothing.c"], vec![]),
        (vec![], vec![("long.txt", 3)]),
        (vec![], vec![("absent", 1)]),
    ] {
        let hunks = hunks.into_iter();
        let hunks = hunks.map(|(path, hunk): (&str, _)| (path.to_owned(), hunk));
        let choice = Choice {
            patterns: patterns.into_iter().map(str::to_owned).collect(),
            hunks: hunks.collect(),
        };
        let failure = place.apply(changes.clone(), &choice).unwrap_err();
        assert_eq!(failure.exit, 2, "{}", failure.message);
    }
}

#[test]
fn questions_are_answered_hunk_by_hunk() {
    let place = Project::new(FILES);
    let two = LONG
        .replace("2\n3\n", "2\ntwo\x1b[2J\n3\n")
        .replace("19\n", "nineteen\n");
    let mut effects = Effects::default();
    effects.changes = vec![
        change("a.txt", Some("a"), Some("A")),
        change("long.txt", Some(LONG), Some(&two)),
        change("x", None, Some("x")),
        change("y", None, Some("y")),
    ];
    let mut shown = Vec::new();
    let mut questions = ask::Questions::new(Cursor::new("?\nn\nn\ny\nq\n"), &mut shown);
    let mut ask = |change: &Change, hunks: Option<&hunks::Hunks>| questions.ask(change, hunks);
    let wanted = choose(
        &effects,
        &place.originals,
        &Choice::default(),
        Some(&mut ask),
    )
    .unwrap()
    .wanted;
    assert_eq!(wanted.len(), 1);
    let choose::After::File { content, .. } = &wanted[0].after else {
        panic!("{wanted:?}")
    };
    assert!(content.ends_with(b"18\nnineteen\n20\n") && !content.contains(&0x1b));
    let shown = String::from_utf8(shown).unwrap();
    assert!(
        shown.contains("(2/2) apply this to long.txt [y,n,a,d,q,?]? "),
        "{shown}"
    );
    assert!(
        shown.contains("+two\\x1b[2J") && !shown.contains('\x1b'),
        "{shown}"
    );
    // The end of the answers ends the questions, and its line.
    let mut shown = Vec::new();
    let mut questions = ask::Questions::new(Cursor::new(""), &mut shown);
    let answers = [0, 1].map(|at| questions.ask(&effects.changes[at], None));
    assert_eq!(answers, [Some(choose::Picked::Nothing), None]);
    assert!(shown.ends_with(b"[y,n,a,d,q,?]? \n"));
}

#[test]
fn nothing_is_applied_where_one_thing_cannot_be() {
    let mut link = change("l", None, Some(""));
    let mut target = EntryState::new(EntryType::Symlink, 0o777, 0);
    target.target = Some("/etc/shadow".to_owned());
    link.after = Some(target);
    let mut turned = change("keep.txt", Some("keep"), None);
    turned.kind = ChangeKind::Modified;
    turned.after = Some(EntryState::new(EntryType::Folder, 0o755, 0));
    let mut lost = change("lost", None, Some("x"));
    lost.content_base64 = None;
    let mut lie = change("lie", None, Some("x"));
    lie.content_base64 = Some(STANDARD.encode("y"));
    let hostile = [
        change("../evil", None, Some("x")),
        change("b/../../evil", None, Some("x")),
        change("/tmp/saferun-evil", None, Some("x")),
        change("link/evil", None, Some("x")),
        change("link/kept", Some("kept"), Some("x")),
        change("file-link", Some("kept"), Some("x")),
        change("keep.txt/below", None, Some("x")),
        change("b", None, Some("x")),
        change("keep.txt", None, Some("x")),
        change("keep.txt", Some("other"), Some("x")),
        change("never", Some("sent"), None),
        change("edited", Some("sent"), Some("x")),
        change("edited", Some("sent"), None),
        change("vanished", Some("sent"), Some("x")),
        link,
        turned,
        lost,
        lie,
    ];
    for one in hostile {
        let mut place = Project::new(FILES).with(&[("edited", "sent"), ("vanished", "sent")]);
        // The word of the result about what was sent is not asked: what was sent is known.
        place.originals.get_mut("keep.txt").unwrap().bytes = match &one.before {
            Some(before) if before.sha256 == Some(hash(b"other")) => b"other".to_vec(),
            _ => b"keep".to_vec(),
        };
        for path in ["link/kept", "file-link"] {
            let bytes = b"kept".to_vec();
            let executable = false;
            let original = crate::run::Original { bytes, executable };
            place.originals.insert(path.to_owned(), original);
        }
        let outside = place.dir.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "kept").unwrap();
        symlink(&outside, place.root().join("link")).unwrap();
        symlink(outside.join("kept"), place.root().join("file-link")).unwrap();
        fs::write(place.root().join("edited"), "edited since").unwrap();
        fs::remove_file(place.root().join("vanished")).unwrap();
        let before = place.entries();
        let shown = format!("{one:?}");
        let failure = place
            .apply(vec![change("a.txt", Some("a"), Some("A")), one], &all())
            .expect_err(&shown);
        assert!(
            failure.message.contains("nothing was applied"),
            "{}",
            failure.message
        );
        assert_eq!(place.entries(), before, "{shown}");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1, "{shown}");
        assert_eq!(fs::read_to_string(outside.join("kept")).unwrap(), "kept");
        assert!(!place.dir.path().join("evil").exists());
    }
}

#[test]
fn a_folder_with_what_was_not_sent_stays() {
    let place = Project::new(FILES);
    fs::write(place.root().join("b/c/.env"), "secret").unwrap();
    place.apply(each_kind(), &all()).unwrap();
    let after = place.entries();
    assert!(after["b/c/.env"].ends_with("secret") && !after.contains_key("b/gone.txt"));
}

#[test]
fn a_step_that_fails_undoes_those_before_it() {
    let place = Project::new(FILES);
    let journals = place.journals();
    let folder = Folder::open(&place.root()).unwrap();
    let mut effects = Effects::default();
    effects.changes = each_kind();
    let wanted = choose(&effects, &place.originals, &all(), None)
        .unwrap()
        .wanted;
    let plan = plan::plan(&folder, &wanted).unwrap();
    let mut journal = journals.create(&place.root(), plan.steps).unwrap();
    // Between the look and the step somebody puts a link where a file was to go.
    let outside = place.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, place.root().join("new")).unwrap();
    let before = place.entries();
    assert!(carry(&mut journal, Side::After).is_err());
    assert_eq!(place.entries(), before);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    fs::remove_file(place.root().join("new")).unwrap();
    // A content that cannot be read fails in the middle, after files above it were written.
    let lost = journal
        .steps
        .iter()
        .position(|step| step.path == "new/deep/file.py");
    let content = format!("state/apply/{}/{}.after", journal.id, lost.unwrap());
    fs::remove_file(place.dir.path().join(content)).unwrap();
    let before = place.entries();
    assert!(carry(&mut journal, Side::After).is_err());
    assert_ne!(place.entries(), before, "it failed in the middle");
    // Nor does one that an editor has saved meanwhile keep the others from being undone.
    let deleted = journal.steps.iter().find(|step| {
        step.after == folder::State::Absent && matches!(step.before, folder::State::File { .. })
    });
    let saved = place.root().join(&deleted.unwrap().path);
    let was = fs::read(&saved).unwrap();
    fs::write(&saved, "saved meanwhile").unwrap();
    let notes = carry::roll_back(&mut journal).unwrap();
    assert!(
        notes.len() == 1 && notes[0].contains("left as it is"),
        "{notes:?}"
    );
    assert_eq!(fs::read(&saved).unwrap(), b"saved meanwhile");
    fs::write(&saved, was).unwrap();
    assert_eq!(place.entries(), before);
    assert_eq!(journal.stage, Stage::Undone);
}

#[test]
fn only_one_at_a_time_and_only_in_a_private_folder() {
    let place = Project::new(FILES);
    let held = place.journals();
    let state = place.dir.path().join("state");
    assert!(Journals::open(&state).is_err());
    drop(held);
    fs::set_permissions(state.join("apply"), PermissionsExt::from_mode(0o755)).unwrap();
    assert!(Journals::open(&state).is_err());
}

#[test]
fn what_failed_is_not_applied_unless_told() {
    let mut target = Target {
        root: PathBuf::from("/"),
        choice: all(),
        patch: false,
        anyway: false,
    };
    let mut ended = RunResult::new("id".to_owned(), Outcome::Completed, String::new());
    ended.exit_code = Some(0);
    let mut effects = Effects::default();
    effects.complete = true;
    ended.effects = Some(effects);
    assert!(target.check(&ended).is_ok());
    let mut failed = ended.clone();
    failed.exit_code = Some(1);
    let mut late = ended.clone();
    late.status = Outcome::Timeout;
    let mut partial = ended.clone();
    partial.effects = Some(Effects::default());
    for result in [&failed, &late, &partial] {
        assert!(target.check(result).is_err());
    }
    target.anyway = true;
    for result in [&failed, &late, &partial] {
        assert!(target.check(result).is_ok());
    }
}
