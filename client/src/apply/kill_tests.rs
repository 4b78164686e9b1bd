//! Kills at any moment of an apply: either side is whole afterwards, and the journal says which.

use super::*;

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
    let journals = Journals::open(&dir.join("state")).unwrap();
    commit(&journals, &dir.join("project"), &wanted).unwrap();
    let passed = moment::PASSED.load(Ordering::SeqCst);
    fs::write(dir.join("passed"), passed.to_string()).unwrap();
}

fn child(place: &Project, moment: usize) -> std::process::ExitStatus {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "apply::tests::kills::child_that_applies",
            "--ignored",
            "-q",
        ])
        .env("SAFERUN_TEST_APPLY", place.dir.path())
        .env("SAFERUN_TEST_MOMENT", moment.to_string())
        .output()
        .unwrap()
        .status
}

#[test]
fn a_kill_at_any_moment_leaves_the_folder_as_before_or_as_wanted() {
    let fresh = || Project::new(FILES);
    let whole = fresh();
    let before = whole.entries();
    assert!(child(&whole, 0).success());
    let wanted = whole.entries();
    assert_ne!(before, wanted);
    let moments: usize = fs::read_to_string(whole.dir.path().join("passed"))
        .unwrap()
        .parse()
        .unwrap();
    assert!(moments > 30, "{moments}");
    let rounds = if std::env::var_os("SAFERUN_TEST_LONG").is_some() {
        100
    } else {
        20
    };
    let mut seed = 0x5afe_u64;
    let mut stages = BTreeSet::new();
    for round in 0..rounds {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // The first and the last moment, and seeded ones between.
        let moment = match round {
            0 => 1,
            1 => moments,
            _ => usize::try_from(seed >> 33).unwrap() % moments + 1,
        };
        let place = fresh();
        assert_eq!(child(&place, moment).signal(), Some(9), "moment {moment}");
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
