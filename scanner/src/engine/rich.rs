//! Joining what is known of two values, and whether that would be more. Every set is bounded; what no longer fits
//! opens the set.

use std::rc::Rc;

use smallvec::SmallVec;

use super::value::{Const, MAX_CONSTS, MAX_REFS, Ref, Rich, Value, gather, merge_taints};

/// Elements that are taken together when a sequence is given up.
const MAX_SPREAD: usize = 256;
/// Pairs of a dictionary that are followed when two are joined.
const MAX_PAIRS: usize = 512;

impl Clone for Rich {
    fn clone(&self) -> Self {
        Self {
            // These are plain data: copied in one go.
            refs: SmallVec::from_slice(&self.refs),
            consts: self.consts.iter().cloned().collect(),
            open: self.open,
            seq: self.seq.clone(),
            spread: self.spread,
            dict: self.dict.clone(),
            element: self.element.clone(),
            taint: SmallVec::from_slice(&self.taint),
            depth: self.depth,
        }
    }
}

impl Rich {
    /// Gives up the order of a sequence: only what is in it is kept.
    fn spread_items(&mut self, items: &[Value]) {
        for item in items
            .iter()
            .take(MAX_SPREAD)
            .filter(|item| !item.is_unknown())
        {
            self.element = if self.element.is_unknown() {
                item.clone()
            } else {
                self.element.join(item)
            };
        }
        if items.len() > MAX_SPREAD {
            self.element = self.element.join(&Value::Unknown);
        }
        self.seq = None;
        self.spread = true;
        self.open = true;
    }

    /// Whether a constant would be new. Numbers that are among others not known are not worth a look.
    pub(super) fn lacks(&self, one: &Const) -> bool {
        let text = matches!(one, Const::Str(_) | Const::Partial(_) | Const::Bytes(_));
        let room = if self.open {
            text && self.consts.len() < MAX_CONSTS
        } else {
            true
        };
        room && !self.consts.contains(one)
    }

    pub(super) fn absorb_ref(&mut self, one: Ref) {
        if !self.refs.contains(&one) {
            if self.refs.len() < MAX_REFS {
                self.refs.push(one);
            } else {
                self.open = true;
            }
        }
    }

    pub(super) fn absorb_const(&mut self, one: &Const) {
        if !self.consts.contains(one) {
            if self.consts.len() < MAX_CONSTS {
                self.consts.push(one.clone());
            } else {
                self.open = true;
            }
        }
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        for one in &other.refs {
            self.absorb_ref(*one);
        }
        for one in &other.consts {
            self.absorb_const(one);
        }
        self.open |= other.open;
        merge_taints(&mut self.taint, &other.taint);
        self.spread |= other.spread;
        match (&self.seq, &other.seq) {
            (None, Some(b)) if self.spread => self.spread_items(&Rc::clone(b)),
            (None, Some(_)) => self.seq.clone_from(&other.seq),
            (Some(a), None) if self.spread => {
                let own = Rc::clone(a);
                self.spread_items(&own);
            }
            (Some(a), Some(b)) if !Rc::ptr_eq(a, b) => {
                // Deeper or wider than this a join could cost more than the code is long.
                if self.depth > 2 {
                    let taints = gather(a.iter().chain(b.iter()).take(64));
                    self.element = self.element.with_taints(&taints);
                    self.seq = None;
                    self.spread = true;
                    self.open = true;
                } else if a.len() == b.len() && a.len() <= 8 && !self.spread {
                    let items = a.iter().zip(b.iter()).map(|(x, y)| x.join(y)).collect();
                    self.seq = Some(Rc::new(items));
                } else {
                    let (a, b) = (Rc::clone(a), Rc::clone(b));
                    self.spread_items(&a);
                    self.spread_items(&b);
                }
            }
            _ => {}
        }
        match (&self.dict, &other.dict) {
            (None, Some(_)) => self.dict.clone_from(&other.dict),
            (Some(a), Some(b)) if !Rc::ptr_eq(a, b) => {
                let (pairs, lost) = join_pairs(a, b);
                self.open |= lost;
                self.dict = Some(Rc::new(pairs));
            }
            _ => {}
        }
        if !other.element.is_unknown() {
            self.element = self.element.join(&other.element);
        }
        self.depth = self.depth.max(other.depth).max(self.element.depth() + 1);
    }
}

/// Whether a container holds something that the other one of its kind does not. Looks a few levels deep: deeper
/// contents are rare, and code must not be able to make this costly.
/// The pairs of either of two dictionaries; the flag says that some were lost.
fn join_pairs(a: &[(Value, Value)], b: &[(Value, Value)]) -> (Vec<(Value, Value)>, bool) {
    let mut pairs = a.to_vec();
    let small = a.len() <= 32 && b.len() <= 32;
    for (at, (key, value)) in b.iter().enumerate() {
        let same = |known: &Value| match (known.exact(), key.exact()) {
            (Some(x), Some(y)) => x == y,
            (None, None) => true,
            _ => false,
        };
        // The same display in another pass has its keys in the same places.
        let found = if pairs.get(at).is_some_and(|(known, _)| same(known)) {
            Some(at)
        } else if small {
            pairs.iter().position(|(known, _)| same(known))
        } else {
            None
        };
        match found {
            Some(at) => {
                if pairs[at].1.is_unknown() {
                    pairs[at].1.clone_from(value);
                } else if !value.is_unknown() {
                    pairs[at].1 = pairs[at].1.join(value);
                }
            }
            None if pairs.len() < MAX_PAIRS => pairs.push((key.clone(), value.clone())),
            None => return (pairs, true),
        }
    }
    (pairs, false)
}

pub(super) fn contents_grow(known: &Rich, other: &Rich) -> bool {
    if known.depth > 3 || other.depth > 3 {
        return false;
    }
    let seq = match (&known.seq, &other.seq) {
        (Some(a), Some(b)) if !Rc::ptr_eq(a, b) => {
            a.len() != b.len()
                || a.iter()
                    .zip(b.iter())
                    .take(32)
                    .any(|(x, y)| x.would_grow(y))
        }
        _ => false,
    };
    seq || match (&known.dict, &other.dict) {
        (Some(a), Some(b)) if !Rc::ptr_eq(a, b) => {
            a.len() < b.len() && a.len() < MAX_PAIRS
                || a.iter()
                    .zip(b.iter())
                    .take(32)
                    .any(|((_, x), (_, y))| x.would_grow(y))
        }
        _ => false,
    }
}
