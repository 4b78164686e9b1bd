//! Rates and memory of what the watch does by itself.

use std::time::Duration;

use super::*;

#[test]
fn a_full_window_is_told_once_and_slides_on() {
    let rates = [Rate {
        count: 2,
        window: Duration::from_secs(60),
    }];
    let mut windows = Windows::default();
    let began = Instant::now();
    let mut at = |seconds| {
        let now = began + Duration::from_secs(seconds);
        windows.take("notify", &rates, now)
    };
    assert_eq!(at(0), Turn::Yes);
    assert_eq!(at(30), Turn::Yes);
    assert_eq!(at(40), Turn::Full(rates[0]));
    assert_eq!(at(59), Turn::StillFull);
    assert_eq!(at(60), Turn::Yes);
    assert_eq!(at(61), Turn::Full(rates[0]));
    assert_eq!(at(90), Turn::Yes);
}

#[test]
fn the_highest_rate_that_a_policy_takes_is_reached() {
    let load = |count| {
        saferun_policy::load(&[saferun_policy::Source::yaml(
            saferun_policy::LayerKind::User,
            "user",
            format!("version: 1\nwatch: {{rate: {count}/1d}}\n"),
        )])
    };
    let refused = load(MAX_WATCH_COUNT + 1).unwrap_err().to_string();
    assert!(refused.contains("is above 10000"), "{refused}");
    let rates = load(MAX_WATCH_COUNT).unwrap().policy.watch.rate;
    let (mut windows, began) = (Windows::default(), Instant::now());
    for _ in 0..MAX_WATCH_COUNT {
        assert_eq!(windows.take("notify", &rates, began), Turn::Yes);
    }
    let one_more = windows.take("notify", &rates, began);
    assert_eq!(one_more, Turn::Full(rates[0]));
}

#[test]
fn what_was_not_done_leaves_its_place_to_others() {
    let rates = [Rate {
        count: 1,
        window: Duration::from_secs(60),
    }];
    let (mut windows, began) = (Windows::default(), Instant::now());
    for decoy in 0..100 {
        let now = began + Duration::from_millis(decoy);
        assert_eq!(windows.take("quarantine", &rates, now), Turn::Yes);
        windows.give_back("quarantine", now);
    }
    let last = began + Duration::from_secs(1);
    assert_eq!(windows.take("quarantine", &rates, last), Turn::Yes);
    assert_eq!(
        windows.take("quarantine", &rates, last),
        Turn::Full(rates[0])
    );
}

#[test]
fn what_makes_itself_be_tried_again_is_bounded_by_the_rate() {
    assert!(Given::Tried.is_owed() && Given::Tried.counts());
    assert!(Given::No.is_owed() && !Given::No.counts());
    assert!(!Given::Yes.is_owed() && Given::Yes.counts());
    assert!(!Given::Never.is_owed() && !Given::Never.counts());
}

#[test]
fn the_same_content_under_the_same_name_is_answered_once_and_what_was_not_stays_owed() {
    let (mut memory, both) = (Memory::default(), [Response::Run, Response::Quarantine]);
    let (a, b) = (Path::new("/a"), Path::new("/b"));
    assert_eq!(memory.owed(a, "1", &both), both);
    assert_eq!(memory.owed(a, "1", &both), both);
    memory.note(a, "1", |done| done.answered.push(Response::Run));
    assert_eq!(memory.owed(a, "1", &both), [Response::Quarantine]);
    memory.note(a, "1", |done| done.answered.push(Response::Quarantine));
    assert_eq!(memory.owed(a, "1", &both), []);
    assert_eq!(memory.owed(a, "2", &both), both);
    assert_eq!(memory.owed(b, "2", &both), both);
}

#[test]
fn while_it_is_released_a_file_is_in_quarantine_and_not_taken_again() {
    let (mut memory, file) = (Memory::default(), Path::new("/a"));
    assert_eq!(
        memory.owed(file, "1", &[Response::Quarantine]),
        [Response::Quarantine]
    );
    memory.note(file, "1", |done| done.quarantined = true);
    memory.settle(file, "1");
    assert!(memory.done[file].quarantined);
    assert_eq!(memory.owed(file, "1", &[Response::Quarantine]), []);
    // Of a file that another daemon put there, too.
    memory.settle(Path::new("/b"), "1");
    assert_eq!(
        memory.owed(Path::new("/b"), "1", &[Response::Quarantine]),
        []
    );
}
