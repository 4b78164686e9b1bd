//! Laws of the board: nothing is lost, nothing is told twice, nothing grows without bound.

use std::collections::BTreeMap;

use proptest::prelude::*;
use saferun_protocol::{HostPath, WatchRoot, WatchedFile};

use super::*;

fn host(name: &str) -> HostPath {
    HostPath::from(Path::new(name))
}

fn file(name: &str, version: u32) -> WatchEvent {
    let mut file = WatchedFile::new(host("/w"), host(name));
    file.sha256 = version.to_string();
    WatchEvent::File(Box::new(file))
}

fn cleared(name: &str) -> WatchEvent {
    WatchEvent::Cleared {
        root: host("/w"),
        file: host(name),
    }
}

fn subject(name: &str) -> Subject {
    Subject::File(name.into())
}

/// What a subscriber knows after all items that it was told.
#[derive(Default)]
struct Reader {
    cursor: Cursor,
    known: BTreeMap<String, String>,
    told: usize,
    ready: usize,
}

impl Reader {
    fn read(&mut self, board: &Board, batches: usize) {
        for _ in 0..batches {
            match board.next(&mut self.cursor, 3) {
                Next::Nothing => return,
                Next::Resync => self.known.clear(),
                Next::Items(items) => {
                    for item in items {
                        self.told += 1;
                        match &*item {
                            WatchEvent::File(file) => {
                                let name = file.file.path.clone();
                                let old = self.known.insert(name, file.sha256.clone());
                                assert_ne!(old.as_ref(), Some(&file.sha256), "told twice");
                            }
                            WatchEvent::Cleared { file, .. } => {
                                self.known.remove(&file.path);
                            }
                            WatchEvent::Ready(_) => self.ready += 1,
                            _ => {}
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_snapshot_ends_with_ready_and_then_come_the_changes() {
    let mut board = Board::default();
    board.put(subject("a"), file("a", 1));
    board.put(
        Subject::Ready,
        WatchEvent::Ready(WatchRoot::new(host("/w"))),
    );
    board.put(subject("b"), file("b", 1));
    board.put(subject("a"), cleared("a"));
    let mut cursor = board.cursor();
    board.put(subject("c"), file("c", 1));
    let Next::Items(items) = board.next(&mut cursor, 10) else {
        panic!("no items");
    };
    let names: Vec<&str> = items
        .iter()
        .map(|item| match &**item {
            WatchEvent::File(file) => file.file.path.as_str(),
            WatchEvent::Ready(_) => "ready",
            _ => "other",
        })
        .collect();
    assert_eq!(names, ["b", "ready"]);
    assert!(matches!(board.next(&mut cursor, 10), Next::Items(items) if items.len() == 1));
    assert!(matches!(board.next(&mut cursor, 10), Next::Nothing));
}

#[test]
fn one_who_slept_through_too_much_is_told_again() {
    let mut board = Board::default();
    let mut reader = Reader {
        cursor: board.cursor(),
        ..Reader::default()
    };
    board.put(subject("kept"), file("kept", 1));
    reader.read(&board, 100);
    for number in 0..2 * MAX_CLEARED {
        let name = format!("f{number}");
        board.put(subject(&name), file(&name, 1));
        board.put(subject(&name), cleared(&name));
    }
    assert!(board.entries.len() <= MAX_CLEARED + 1);
    assert!(matches!(board.next(&mut reader.cursor, 3), Next::Resync));
    reader.known.clear();
    reader.read(&board, 100);
    assert_eq!(reader.known.len(), 1);
}

proptest! {
    #[test]
    fn any_reader_ends_up_with_the_truth(
        steps in prop::collection::vec((0u8..12, 0u8..4, 0usize..4), 1..200),
        late in 0usize..100,
    ) {
        let mut board = Board::default();
        let mut truth = BTreeMap::new();
        let mut eager = Reader { cursor: board.cursor(), ..Reader::default() };
        let mut newcomer: Option<Reader> = None;
        for (step, (name, what, batches)) in steps.into_iter().enumerate() {
            let name = format!("f{name}");
            match what {
                0 => {
                    // As the root does: only what was told of is cleared.
                    if truth.remove(&name).is_some() {
                        board.put(subject(&name), cleared(&name));
                    }
                }
                1 => {
                    board.put(Subject::Ready, WatchEvent::Ready(WatchRoot::new(host("/w"))));
                }
                _ => {
                    truth.insert(name.clone(), step.to_string());
                    let version = u32::try_from(step).unwrap();
                    board.put(subject(&name), file(&name, version));
                }
            }
            eager.read(&board, batches);
            if step == late {
                newcomer = Some(Reader { cursor: board.cursor(), ..Reader::default() });
            }
            if let Some(newcomer) = &mut newcomer {
                newcomer.read(&board, batches);
            }
        }
        for reader in std::iter::once(&mut eager).chain(&mut newcomer) {
            reader.read(&board, 10_000);
            prop_assert_eq!(&reader.known, &truth);
        }
    }
}
