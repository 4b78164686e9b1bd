//! Laws of the codec: what is encoded comes back, however it is cut; no bytes make it panic.

use proptest::prelude::*;
use saferun_frames::{Decoder, FrameError, MAX_PAYLOAD, RunSpec, ToDaemon, ToSupervisor, encode};

fn decode_all(pieces: &[&[u8]]) -> Result<Vec<ToDaemon>, FrameError> {
    let mut decoder = Decoder::new();
    let mut out = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Some(message) = ToDaemon::next(&mut decoder)? {
            out.push(message);
        }
    }
    decoder.finish()?;
    Ok(out)
}

proptest! {
    #[test]
    fn comes_back_however_it_is_cut(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..6),
        cut in 1_usize..40,
    ) {
        let sent: Vec<_> = chunks.into_iter().map(ToDaemon::Stdout).collect();
        let bytes: Vec<u8> = sent.iter().flat_map(ToDaemon::encode).collect();
        let pieces: Vec<&[u8]> = bytes.chunks(cut).collect();
        prop_assert_eq!(decode_all(&pieces), Ok(sent));
    }

    #[test]
    fn no_bytes_make_either_side_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let mut decoder = Decoder::new();
        decoder.push(&bytes);
        while let Ok(Some(_)) = ToDaemon::next(&mut decoder) {}
        let mut decoder = Decoder::new();
        decoder.push(&bytes);
        while let Ok(Some(_)) = ToSupervisor::next(&mut decoder) {}
    }
}

#[test]
fn a_length_over_the_cap_is_refused_from_its_header_alone() {
    let mut decoder = Decoder::new();
    decoder.push(&[0x82, 0xff, 0xff, 0xff, 0xff]);
    let length = u32::MAX as usize;
    assert_eq!(
        ToDaemon::next(&mut decoder),
        Err(FrameError::TooLong { kind: 0x82, length })
    );
}

#[test]
fn the_longest_payload_passes() {
    let payload = vec![7; MAX_PAYLOAD];
    assert_eq!(
        decode_all(&[&encode(0x82, &payload)]),
        Ok(vec![ToDaemon::Stdout(payload)])
    );
}

#[test]
fn a_stream_that_ends_inside_a_frame_is_truncated() {
    let bytes = ToDaemon::Stdout(vec![1, 2, 3]).encode();
    assert_eq!(
        decode_all(&[&bytes[..6]]),
        Err(FrameError::Truncated { missing: 2 })
    );
    assert_eq!(
        decode_all(&[&bytes[..3]]),
        Err(FrameError::Truncated { missing: 2 })
    );
}

#[test]
fn a_message_of_the_other_direction_is_unknown() {
    let mut decoder = Decoder::new();
    decoder.push(&ToSupervisor::Start.encode());
    assert_eq!(
        ToDaemon::next(&mut decoder),
        Err(FrameError::UnknownType { kind: 0x03 })
    );
}

#[test]
fn a_run_specification_survives_the_trip() {
    let spec = RunSpec {
        protocol: saferun_frames::PROTOCOL_VERSION,
        token: u64::MAX,
        file_name: "häßlich \u{1f600}.py".to_owned(),
        args: vec![String::new(), "--x=\u{0}".to_owned()],
        env: vec![("A".to_owned(), "\n".to_owned())],
        source_len: u64::MAX,
        stdin: true,
        time_limit_ms: 1,
        output_head: 2,
        output_tail: 3,
        account: saferun_frames::Account::default(),
    };
    let mut decoder = Decoder::new();
    decoder.push(&ToSupervisor::Run(spec.clone()).encode());
    assert_eq!(
        ToSupervisor::next(&mut decoder),
        Ok(Some(ToSupervisor::Run(spec)))
    );
}
