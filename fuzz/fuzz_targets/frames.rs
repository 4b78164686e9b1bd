//! Any bytes, in any pieces, as frames of either direction: never a panic, and what was read encodes to what is read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saferun_frames::{Decoder, ToDaemon, ToSupervisor};

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (bytes, sizes) = input;
    let (mut daemon, mut supervisor) = (Decoder::new(), Decoder::new());
    let mut rest = bytes.as_slice();
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let size = sizes.next().map_or(rest.len(), |size| usize::from(*size) + 1);
        let (piece, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        daemon.push(piece);
        supervisor.push(piece);
        while let Ok(Some(message)) = ToDaemon::next(&mut daemon) {
            let mut again = Decoder::new();
            again.push(&message.encode());
            assert_eq!(ToDaemon::next(&mut again), Ok(Some(message)));
        }
        while let Ok(Some(message)) = ToSupervisor::next(&mut supervisor) {
            let mut again = Decoder::new();
            again.push(&message.encode());
            assert_eq!(ToSupervisor::next(&mut again), Ok(Some(message)));
        }
    }
});
