//! Laws of the chain: no single change of the rows goes unseen.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, PartialEq)]
struct Row {
    seq: u64,
    kind: i64,
    at_ms: i64,
    uid: u32,
    run: String,
    head: String,
    hash: Vec<u8>,
    tag: Vec<u8>,
}

const KEY: Hash = [7; 32];

fn event(row: &Row) -> Event<'_> {
    Event {
        seq: row.seq,
        kind: row.kind,
        at_ms: row.at_ms,
        uid: row.uid,
        run: &row.run,
        head: &row.head,
    }
}

fn chain(heads: &[String]) -> Vec<Row> {
    let (mut before, mut key) = (GENESIS, KEY);
    (1_u64..)
        .zip(heads)
        .map(|(seq, head)| {
            let mut row = Row {
                seq,
                kind: 1,
                at_ms: 10,
                uid: 3,
                run: format!("r{seq}"),
                head: head.clone(),
                hash: Vec::new(),
                tag: Vec::new(),
            };
            before = link(&before, &event(&row));
            row.hash = before.to_vec();
            row.tag = tag(&key, &before).to_vec();
            key = next_key(&key);
            row
        })
        .collect()
}

/// Number of problems, the head, the key at the end.
fn walk(rows: &[Row]) -> (usize, (u64, Hash), Hash) {
    let mut walk = Walk::new(Some(KEY));
    walk.begin_seal();
    let problems = rows
        .iter()
        .filter_map(|row| walk.take(&event(row), &row.hash, Some(&row.tag)))
        .count();
    (problems, walk.head(), walk.next_key().unwrap())
}

proptest! {
    #[test]
    fn a_chain_as_it_was_written_has_no_problem(heads in prop::collection::vec(".{0,8}", 0..12)) {
        prop_assert_eq!(walk(&chain(&heads)).0, 0);
    }

    #[test]
    fn any_edit_deletion_insertion_or_swap_is_found(
        heads in prop::collection::vec(".{0,8}", 2..12), at in any::<prop::sample::Index>(), what in 0..8,
    ) {
        let whole = chain(&heads);
        let mut rows = whole.clone();
        let at = at.index(rows.len() - 1);
        match what {
            0 => rows[at].head.push('x'),
            1 => rows[at].at_ms += 1,
            2 => rows[at].uid += 1,
            3 => rows[at].run.push('x'),
            4 => rows[at].kind += 1,
            5 => drop(rows.remove(at)),
            6 => rows.insert(at, rows[at].clone()),
            _ => rows.swap(at, at + 1),
        }
        prop_assert!(walk(&rows).0 > 0);
    }

    /// Who owns the file can make the chain fit again, but has neither the old keys nor the head.
    #[test]
    fn a_rewritten_past_and_a_cut_tail_do_not_fit_the_seal(
        heads in prop::collection::vec(".{0,8}", 2..12), at in any::<prop::sample::Index>(),
    ) {
        let whole = chain(&heads);
        let at = at.index(heads.len());
        let mut forged = heads.clone();
        forged[at].push('x');
        let mut forged = chain(&forged);
        for (row, real) in forged.iter_mut().zip(&whole) {
            row.tag.clone_from(&real.tag);
        }
        prop_assert!(walk(&forged).0 > 0);
        let cut = walk(&whole[..at]);
        let full = walk(&whole);
        prop_assert_ne!(cut.1, full.1);
        prop_assert_ne!(cut.2, full.2);
    }
}

#[test]
fn hexadecimal_goes_there_and_back() {
    assert_eq!(unhex(&hex(&KEY)), Some(KEY));
    assert_eq!(unhex("0g"), None);
    assert_eq!(unhex(&"é".repeat(32)), None);
}
