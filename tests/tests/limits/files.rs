//! What goes in and what comes back: the script and its files, output, artifacts.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{Code, InputFile, LimitHit, Outcome, PolicyText};
use saferun_tests::Daemon;

use super::{ask, passes, streamed, table::Cell};

pub(crate) fn output(daemon: &Daemon, cell: &Cell) {
    let size = cell.of(&cell.limits().output).get();
    let write = |bytes: u64| {
        let (pieces, rest) = (bytes / 1000, bytes % 1000);
        let program = format!(
            "piece = 'x' * 1000\nfor _ in range({pieces}): print(piece, end='')\nprint('x' * {rest}, end='')"
        );
        streamed(daemon, cell.request(program))
    };
    let (result, told) = write(size);
    assert_eq!(
        (result.status, told, result.dropped_bytes),
        (Outcome::Completed, size, 0),
        "{cell}"
    );
    assert!(!result.limits_hit.contains(&LimitHit::Output), "{cell}");
    let (result, told) = write(size + 1);
    assert!(
        result.limits_hit.contains(&LimitHit::Output),
        "{cell}: {result:#?}"
    );
    assert_eq!(told + result.dropped_bytes, size + 1, "{cell}");
    assert!(told <= size, "{cell}");
}

/// The script alone, and for the maximum the script with files beside it as well.
pub(crate) fn source(daemon: &Daemon, cell: &Cell) {
    let size = usize::try_from(cell.of(&cell.limits().source).get()).expect("a size");
    let most = cell.is_max();
    let padded = |bytes: usize| {
        let filler = bytes - "print(1)\n#".len();
        let mut asked = cell.request(format!("print(1)\n#{}", "x".repeat(filler)));
        asked.limits.source_bytes = most.then_some(size as u64);
        asked
    };
    assert_eq!(passes(daemon, cell, padded(size)).stdout, "1\n", "{cell}");
    let (code, message) = ask(daemon, padded(size + 1)).expect_err("one byte too many");
    assert_eq!(code, Code::TooLarge, "{cell}: {message}");
    if !most {
        return;
    }
    let script = "import pathlib\nprint(len(pathlib.Path('data').read_bytes()))";
    let beside = |bytes: usize| {
        let mut asked = cell.request(script);
        asked.files = vec![InputFile {
            path: "data".to_owned(),
            base64: STANDARD.encode(vec![b'x'; bytes - script.len()]),
            executable: false,
        }];
        asked
    };
    let whole = passes(daemon, cell, beside(size));
    assert_eq!(whole.stdout, format!("{}\n", size - script.len()), "{cell}");
    let (code, message) = ask(daemon, beside(size + 1)).expect_err("one byte too many");
    assert_eq!(code, Code::TooLarge, "{cell}: {message}");
    assert!(message.contains("limits.source.max"), "{cell}: {message}");
}

pub(crate) fn artifacts(daemon: &Daemon, cell: &Cell) {
    let size = cell.of(&cell.limits().artifacts).get();
    let whole = |bytes: u64| {
        let mut asked = cell.request(format!("open('/out/x', 'wb').write(b'x' * {bytes})"));
        asked.artifacts = true;
        let artifacts = passes(daemon, cell, asked).artifacts;
        assert_eq!(artifacts.len(), 1, "{cell}");
        assert_eq!(artifacts[0].size, bytes, "{cell}");
        artifacts[0].content_base64.is_some()
    };
    assert!(whole(size), "{cell}: at the limit");
    assert!(!whole(size + 1), "{cell}: one byte more");
}

pub(crate) fn artifact_count(daemon: &Daemon, cell: &Cell) {
    let count = cell.of(&cell.limits().artifact_count);
    let write = |files: u32| {
        let mut asked = cell.request(format!(
            "for n in range({files}): open(f'/out/{{n}}', 'w').write('x')"
        ));
        asked.artifacts = true;
        passes(daemon, cell, asked).artifacts.len()
    };
    assert_eq!(write(count), count as usize, "{cell}");
    assert_eq!(write(count + 1), count as usize, "{cell}");
}

/// Under a policy that hands back no files nothing comes of what was written to `/out`, and the result says so.
#[test]
fn no_artifacts_come_back_where_the_preset_returns_none() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    // One that can be written to although nothing of it comes back, and one that cannot.
    let withheld = "version: 1\nreturns: {artifacts: false}\n";
    for (preset, layer, written) in [
        ("permissive", Some(withheld), "written\n"),
        ("tutorial-hardened", None, "refused\n"),
    ] {
        let source = "try: open('/out/x', 'w').write('x')\nexcept OSError: print('refused')\nelse: print('written')";
        let mut asked = super::request(preset, source);
        let layers = layer.map(|text| PolicyText::new("p", text));
        asked.policy_layers.project = layers.into_iter().collect();
        asked.artifacts = true;
        let none = passes(&daemon, &preset, asked);
        assert_eq!(none.stdout, written, "{preset}");
        assert!(none.artifacts.is_empty(), "{none:#?}");
        let left = none.left_behind().expect("it is told that nothing comes");
        assert!(left.contains("returns.artifacts: false"), "{left}");
    }
}
