//! In which order the pieces of a run's two streams came, as a body beside them: without it, a place in the output of a
//! run under way would mean other bytes once the run is read from the record. Pure.

use saferun_protocol::Stream;

/// A piece of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) stream: Stream,
    /// How many bytes it has.
    pub(crate) bytes: u64,
    /// How many are missing after it.
    pub(crate) gap: u64,
}

/// All of them, short ones in one byte: a program may change streams after each byte.
pub(super) fn pack(order: &[Piece]) -> Vec<u8> {
    let mut packed = Vec::new();
    for piece in order {
        let stream = u64::from(piece.stream == Stream::Stderr);
        number(
            &mut packed,
            piece.bytes << 2 | u64::from(piece.gap > 0) << 1 | stream,
        );
        if piece.gap > 0 {
            number(&mut packed, piece.gap);
        }
    }
    packed
}

/// `None`: it is not what [`pack`] made.
pub(super) fn unpack(mut packed: &[u8]) -> Option<Vec<Piece>> {
    let mut order = Vec::new();
    while !packed.is_empty() {
        let head = take(&mut packed)?;
        order.push(Piece {
            stream: if head & 1 == 1 {
                Stream::Stderr
            } else {
                Stream::Stdout
            },
            bytes: head >> 2,
            gap: if head & 2 == 2 { take(&mut packed)? } else { 0 },
        });
    }
    Some(order)
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn number(packed: &mut Vec<u8>, mut value: u64) {
    loop {
        // Seven bits fit.
        let low = u8::try_from(value & 0x7F).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            packed.push(low);
            return;
        }
        packed.push(low | 0x80);
    }
}

fn take(packed: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = packed.split_first()?;
        *packed = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_comes_back_and_what_is_none_is_refused() {
        let piece = |stream, bytes, gap| Piece { stream, bytes, gap };
        let order = [
            piece(Stream::Stdout, 1, 0),
            piece(Stream::Stderr, 0, 7),
            piece(Stream::Stdout, 1 << 40, 1 << 50),
            piece(Stream::Stderr, 31, 0),
        ];
        let packed = pack(&order);
        assert_eq!(unpack(&packed).as_deref(), Some(&order[..]));
        assert_eq!(pack(&order[..1]).len(), 1);
        assert_eq!(unpack(&packed[..packed.len() - 8]), None);
        assert_eq!(unpack(&[0xFF; 40]), None);
        assert_eq!(unpack(&[]), Some(Vec::new()));
    }
}
