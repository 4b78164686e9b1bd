//! The hash chain over the events, and the seal that evolves along it. Pure: no I/O, no clock.
//!
//! Each link is SHA-256 over the link before, the event's columns and the hash of its head; a head holds the hashes of
//! its bodies, so that bodies can go without breaking the chain. The seal is an HMAC of the link with a key that is
//! replaced by its own hash after each event: who takes the file later cannot make tags for the past (Schneier and
//! Kelsey, "Secure Audit Logs to Support Computer Forensics", 1999).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// A link, a hash of a body, or a key.
pub(super) type Hash = [u8; 32];

/// What comes before the first event.
pub(super) const GENESIS: Hash = [0; 32];

/// The columns of an event that the chain covers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event<'row> {
    pub(super) seq: u64,
    pub(super) kind: i64,
    pub(super) at_ms: i64,
    pub(super) uid: u32,
    pub(super) run: &'row str,
    pub(super) head: &'row str,
}

/// SHA-256.
pub(super) fn digest(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// The link of an event.
pub(super) fn link(before: &Hash, event: &Event<'_>) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"saferun audit link 1\0");
    hash.update(before);
    hash.update(event.seq.to_le_bytes());
    hash.update(event.kind.to_le_bytes());
    hash.update(event.at_ms.to_le_bytes());
    hash.update(event.uid.to_le_bytes());
    hash.update((event.run.len() as u64).to_le_bytes());
    hash.update(event.run.as_bytes());
    hash.update(digest(event.head.as_bytes()));
    hash.finalize().into()
}

/// The key after this one. There is no way back.
pub(super) fn next_key(key: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"saferun audit seal key 1\0");
    hash.update(key);
    hash.finalize().into()
}

/// The seal of a link.
pub(super) fn tag(key: &Hash, link: &Hash) -> Hash {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        // HMAC takes keys of any length (RFC 2104).
        unreachable!()
    };
    mac.update(link);
    mac.finalize().into_bytes().into()
}

/// Hexadecimal, in lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// A hash from hexadecimal.
pub(super) fn unhex(text: &str) -> Option<Hash> {
    let text = text.trim().as_bytes();
    if text.len() != 64 {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(text.chunks(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(hash)
}

/// Walks a chain from its start.
#[derive(Debug)]
pub(super) struct Walk {
    link: Hash,
    seq: u64,
    /// The verification key as it is at the next sealed event.
    key: Option<Hash>,
    sealing: bool,
}

impl Walk {
    /// A walk that checks the seal with this key, or none.
    pub(super) const fn new(key: Option<Hash>) -> Self {
        Self {
            link: GENESIS,
            seq: 0,
            key,
            sealing: false,
        }
    }

    /// The seal with this walk's key begins with the next event.
    pub(super) const fn begin_seal(&mut self) {
        self.sealing = true;
    }

    /// Takes the next event with its stored link and seal; says what is wrong with it.
    pub(super) fn take(
        &mut self,
        event: &Event<'_>,
        stored: &[u8],
        seal: Option<&[u8]>,
    ) -> Option<String> {
        let wanted = self.seq + 1;
        let mut problem = (event.seq != wanted).then(|| {
            format!(
                "event {wanted} is missing: event {} stands in its place",
                event.seq
            )
        });
        self.seq = event.seq;
        self.link = link(&self.link, event);
        if self.link[..] != *stored {
            problem.get_or_insert_with(|| {
                format!(
                    "event {} does not fit the chain: it, or one before it, was changed",
                    event.seq
                )
            });
            // So that one change is reported where it is, and not for all that follows.
            if let Ok(stored) = stored.try_into() {
                self.link = stored;
            }
        }
        if let (true, Some(key)) = (self.sealing, self.key) {
            if seal != Some(&tag(&key, &self.link)[..]) {
                problem.get_or_insert_with(|| {
                    format!("event {} does not have the seal of this key", event.seq)
                });
            }
            self.key = Some(next_key(&key));
        }
        problem
    }

    /// Number and link of the last event.
    pub(super) const fn head(&self) -> (u64, Hash) {
        (self.seq, self.link)
    }

    /// The key for the event that comes next, if this walk has one.
    pub(super) const fn next_key(&self) -> Option<Hash> {
        self.key
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
