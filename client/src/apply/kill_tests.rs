//! Kills at any moment of an apply or of its undoing: either side is whole afterwards, and the journal says which. Ctrl-C
//! leaves nothing to be done.

use super::*;
use crate::run::signals;

/// The child of the next test: applies, and may be killed at a moment.
#[test]
#[ignore = "run by the test of kills, in a process of its own"]
fn child_that_applies() {
    let Some(dir) = std::env::var_os("SAFERUN_TEST_APPLY") else {
        return;
    };
    let dir = PathBuf::from(dir);
    let mut originals = Originals::new();
    for (path, content) in FILES {
        let bytes = content.as_bytes().to_vec();
        let executable = false;
        originals.insert(
            (*path).to_owned(),
            crate::run::Original { bytes, executable },
        );
    }
    let mut effects = Effects::default();
    effects.changes = each_kind();
    let wanted = choose(&effects, &originals, &all(), None).unwrap().wanted;
    let _watch = signals::watch();
    signals::run_is_over();
    let journals = Journals::open(&dir.join("state")).unwrap();
    let applied = commit(&journals, &dir.join("project"), &wanted);
    let said = applied.map_or_else(|failure| failure.message, |()| "applied".to_owned());
    fs::write(dir.join("said"), &said).unwrap();
    let passed = || moment::PASSED.load(Ordering::SeqCst).to_string();
    fs::write(dir.join("applied"), passed()).unwrap();
    let interrupts = std::env::var_os("SAFERUN_TEST_SIGNAL").is_some_and(|name| name == "INT");
    if said == "applied" && !interrupts {
        let mut journal = journals.all().unwrap().pop().unwrap();
        carry(&mut journal, Side::Before).unwrap();
        fs::write(dir.join("undone"), passed()).unwrap();
    }
}

/// The child of the test of a recovery: completes what two journals say, and gets a signal at a moment of the first.
#[test]
#[ignore = "run by the test of a recovery, in a process of its own"]
fn child_that_recovers() {
    let Some(dir) = std::env::var_os("SAFERUN_TEST_APPLY") else {
        return;
    };
    let dir = PathBuf::from(dir);
    let journals = Journals::open(&dir.join("state")).unwrap();
    let begun = journals.all().unwrap();
    let code = command::each(&journals, begun, Side::After);
    fs::write(dir.join("said"), code.to_string()).unwrap();
}

fn child(place: &Project, moment: usize, signal: &str) -> std::process::ExitStatus {
    named_child("child_that_applies", place, moment, signal)
}

fn named_child(
    name: &str,
    place: &Project,
    moment: usize,
    signal: &str,
) -> std::process::ExitStatus {
    // A signal to the process must find it blocked in every thread, and the harness has one before ours; a shell that
    // started the tests in the background has it ignored.
    Command::new("env")
        .args(["--default-signal=INT", "--block-signal=INT"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "-q"])
        .arg(format!("apply::tests::kills::{name}"))
        .env("SAFERUN_TEST_APPLY", place.dir.path())
        .env("SAFERUN_TEST_MOMENT", moment.to_string())
        .env("SAFERUN_TEST_SIGNAL", signal)
        .output()
        .unwrap()
        .status
}

/// The folder before, and the moments that an apply and then its undoing pass by.
fn whole() -> (Project, usize, usize) {
    let place = Project::new(FILES);
    let before = place.entries();
    assert!(child(&place, 0, "KILL").success());
    assert_eq!(place.entries(), before, "applied and undone");
    let [applied, undone] = ["applied", "undone"].map(|name| {
        let passed = fs::read_to_string(place.dir.path().join(name)).unwrap();
        passed.parse().unwrap()
    });
    assert!(applied > 30 && undone > applied + 20, "{applied} {undone}");
    (place, applied, undone)
}

fn wanted() -> BTreeMap<String, String> {
    let place = Project::new(FILES);
    place.apply(each_kind(), &all()).unwrap();
    place.entries()
}

/// Moments from the first to the last of a span, both included, and seeded ones between.
fn moments(first: usize, last: usize) -> impl Iterator<Item = usize> {
    let long = std::env::var_os("SAFERUN_TEST_LONG").is_some();
    let rounds = if long { 100 } else { 20 };
    let mut seed = 0x5afe_u64;
    (0..rounds).map(move |round| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        match round {
            0 => first,
            1 => last,
            _ => first + usize::try_from(seed >> 33).unwrap() % (last - first + 1),
        }
    })
}

#[test]
fn a_kill_at_any_moment_leaves_the_folder_as_before_or_as_wanted() {
    let (whole, last, _) = whole();
    let (before, wanted) = (whole.entries(), wanted());
    let mut stages = BTreeSet::new();
    for (round, moment) in moments(1, last).enumerate() {
        let place = Project::new(FILES);
        let ended = child(&place, moment, "KILL");
        assert_eq!(ended.signal(), Some(9), "moment {moment}");
        let journals = place.journals();
        let Some(mut journal) = journals.all().unwrap().pop() else {
            stages.insert("none");
            assert_eq!(
                place.entries(),
                before,
                "moment {moment}: no journal, nothing touched"
            );
            continue;
        };
        if journal.stage == Stage::Applied {
            stages.insert("applied");
            assert_eq!(
                place.entries(),
                wanted,
                "moment {moment}: the journal says applied"
            );
            continue;
        }
        stages.insert("begun");
        assert_eq!(journal.stage, Stage::Begun);
        let (side, expected, stage) = if round % 2 == 0 {
            (Side::After, &wanted, Stage::Applied)
        } else {
            (Side::Before, &before, Stage::Undone)
        };
        carry(&mut journal, side).unwrap();
        assert_eq!(&place.entries(), expected, "moment {moment}");
        assert_eq!(journals.all().unwrap().pop().unwrap().stage, stage);
    }
    assert_eq!(
        stages.len(),
        3,
        "each way to be killed was tried: {stages:?}"
    );
}

#[test]
fn a_kill_at_any_moment_of_undoing_is_told_by_the_journal() {
    let (whole, first, last) = whole();
    let (before, wanted) = (whole.entries(), wanted());
    let mut stages = BTreeSet::new();
    for (round, moment) in moments(first + 1, last).enumerate() {
        let place = Project::new(FILES);
        let ended = child(&place, moment, "KILL");
        assert_eq!(ended.signal(), Some(9), "moment {moment}");
        let mut journal = place.journals().all().unwrap().pop().unwrap();
        stages.insert(format!("{:?}", journal.stage));
        let now = place.entries();
        match journal.stage {
            Stage::Applied => assert_eq!(now, wanted, "moment {moment}"),
            Stage::Undone => assert_eq!(now, before, "moment {moment}"),
            Stage::Begun => {
                let (side, expected) = if round % 2 == 0 {
                    (Side::After, &wanted)
                } else {
                    (Side::Before, &before)
                };
                carry(&mut journal, side).unwrap();
                assert_eq!(&place.entries(), expected, "moment {moment}");
            }
        }
    }
    assert!(stages.contains("Begun") && stages.len() > 1, "{stages:?}");
}

#[test]
fn an_interrupt_at_any_moment_ends_it_before_or_after_and_never_between() {
    let (whole, last, _) = whole();
    let (before, wanted) = (whole.entries(), wanted());
    let mut ends = BTreeSet::new();
    for moment in moments(1, last) {
        let place = Project::new(FILES);
        // The last words are said before the process ends: with them the child ends by itself.
        let ended = child(&place, moment, "INT");
        assert_eq!(ended.signal(), None, "moment {moment}");
        let said = fs::read_to_string(place.dir.path().join("said")).unwrap();
        let stage = place.journals().all().unwrap().pop().map(|last| last.stage);
        if said == "applied" {
            assert_eq!(stage, Some(Stage::Applied), "moment {moment}");
            assert_eq!(place.entries(), wanted, "moment {moment}");
        } else {
            assert!(said.starts_with("interrupted: "), "moment {moment}: {said}");
            assert!(
                matches!(stage, None | Some(Stage::Undone)),
                "moment {moment}: {stage:?}"
            );
            assert_eq!(place.entries(), before, "moment {moment}");
        }
        ends.insert(said == "applied");
    }
    assert_eq!(ends.len(), 2, "before the last step, and after it");
}

#[test]
fn an_interrupted_recovery_does_the_journal_that_it_began_and_leaves_the_next() {
    let [first, second] = [(); 2].map(|()| Project::new(FILES));
    let (before, wanted) = (first.entries(), wanted());
    let journals = first.journals();
    let mut effects = Effects::default();
    effects.changes = each_kind();
    for place in [&first, &second] {
        let chosen = choose(&effects, &place.originals, &all(), None).unwrap();
        let folder = Folder::open(&place.root()).unwrap();
        let plan = plan::plan(&folder, &chosen.wanted).unwrap();
        let name = journals.create(&place.root(), plan.steps).unwrap().id;
        // Names have the millisecond in them.
        let made: i64 = name[..13].parse().unwrap();
        while jiff::Timestamp::now().as_millisecond() <= made {}
    }
    drop(journals);
    assert!(named_child("child_that_recovers", &first, 5, "INT").success());
    let said = fs::read_to_string(first.dir.path().join("said")).unwrap();
    assert_eq!(said, exit::CANCELLED.to_string());
    assert_eq!(first.entries(), wanted);
    assert_eq!(second.entries(), before);
    let stages = first.journals().all().unwrap();
    let stages: Vec<Stage> = stages.iter().map(|journal| journal.stage).collect();
    assert_eq!(stages, [Stage::Applied, Stage::Begun]);
}
