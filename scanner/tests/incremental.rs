//! Editing a document: the report is that of a fresh scan of the same text, whatever the edits were, and a scan
//! that nobody waits for any more ends.

use std::fmt::Write as _;

use proptest::prelude::*;
use saferun_scanner::{CancelFlag, Document, EditOutside, Options, scan};

const TEXT: &str = r#"import os, subprocess as sp
from pathlib import Path


class Job:
    """Runs what it is given."""

    def __init__(self, command, *, env=None):
        self.command = command
        self.env = env or {"TOKEN": os.environ["API_TOKEN"]}

    def run(self):
        if self.command.startswith("é"):
            return sp.run(self.command, shell=True)
        try:
            with open(Path.home() / ".ssh" / "id_rsa") as key:
                return key.read()
        except OSError as error:
            print(f"failed: {error!r:>{10}}")


def main(argv):
    for name in argv[1:]:
        job = Job("rm -rf ~" if name == "clean" else 'echo ' + name)
        job.run()


# a comment
if __name__ == "__main__":
    main(["x", "clean"])
"#;

/// An edit: where (as a share of the text), how many bytes go, what comes.
fn edits() -> impl Strategy<Value = Vec<(f64, usize, String)>> {
    let pieces = prop::sample::select(vec![
        "",
        "",
        "x",
        "(",
        ")",
        "\n",
        "    ",
        "\"",
        "'''",
        ":",
        "#",
        "\\",
        "é",
        "😀",
        "os.system('ls')\n",
        "if x:\n        y\n",
        "def f(a=1):\n    return eval(a)\n",
        "class A(B):\n",
        "lambda: ",
        "f'{",
        "}",
        "import socket\n",
        "\t",
        "\r\n",
        "async ",
        ", ",
        "print 'x'\n",
        "match a:\n case 1:\n  b\n",
        "@",
        "[",
        "return",
        ".",
        "\u{feff}",
    ]);
    proptest::collection::vec(
        (0.0..=1.0, 0usize..40, pieces.prop_map(str::to_owned)),
        1..12,
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a short text"
)]
fn place(text: &str, share: f64, length: usize) -> std::ops::Range<usize> {
    let whole = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = whole((share * text.len() as f64) as usize);
    start..whole(start + length).max(start)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn an_edited_text_gives_the_report_of_a_fresh_scan(edits in edits()) {
        let mut document = Document::new(TEXT, Options::default());
        for (share, length, with) in edits {
            let range = place(document.text(), share, length);
            document.apply_edit(range, &with).expect("the range is inside");
            let edited = document.report();
            let fresh = scan(document.text(), &Options::default());
            prop_assert_eq!(edited, fresh, "{}", document.text());
        }
    }

    #[test]
    fn rough_edits_give_it_once_they_are_settled(edits in edits()) {
        let mut document = Document::new(TEXT, Options::default());
        for (share, length, with) in edits {
            let range = place(document.text(), share, length);
            document.apply_edit_roughly(range, &with).expect("the range is inside");
            if !document.is_rough() {
                let fresh = scan(document.text(), &Options::default());
                prop_assert_eq!(document.report(), fresh, "{}", document.text());
            }
        }
        document.settle();
        prop_assert!(!document.is_rough());
        let fresh = scan(document.text(), &Options::default());
        prop_assert_eq!(document.report(), fresh, "{}", document.text());
    }
}

#[test]
fn an_edit_outside_of_the_text_changes_nothing() {
    let mut document = Document::new("x = 'é'\n", Options::default());
    for range in [0..100, 6..6, 100..100] {
        let outside = EditOutside {
            start: range.start,
            end: range.end,
            length: 9,
        };
        assert_eq!(document.apply_edit(range, "y"), Err(outside));
    }
    assert_eq!(document.text(), "x = 'é'\n");
}

#[test]
fn a_document_can_be_scanned_on_another_thread_and_replaced() {
    let mut document = Document::new("import os\n", Options::default());
    let snapshot = document.clone();
    document.replace("import os\nos.system('rm -rf ~')\n");
    let old = std::thread::spawn(move || snapshot.report())
        .join()
        .expect("no panic");
    assert!(old.findings.is_empty());
    assert_eq!(document.report().risk(), saferun_scanner::Level::Blocked);
}

#[test]
fn a_cancelled_scan_gives_nothing_and_ends_early() {
    let document = Document::new(TEXT, Options::default());
    let flag = CancelFlag::new();
    assert_eq!(document.report_unless(&flag), Some(document.report()));
    flag.clone().cancel();
    assert_eq!(document.report_unless(&flag), None);

    // One that has begun: the text takes seconds, and this test hangs if the flag is not looked at.
    let mut text = String::from("import os\n");
    for index in 0..60_000 {
        writeln!(
            text,
            "def f{index}(x):\n    return os.path.join(x, str({index}))"
        )
        .expect("a string");
    }
    let document = Document::new(
        text,
        Options {
            max_steps: u64::MAX,
            ..Options::default()
        },
    );
    let flag = CancelFlag::new();
    let (begun, wait) = std::sync::mpsc::channel();
    let other = flag.clone();
    let scan = std::thread::spawn(move || {
        begun.send(()).expect("someone waits");
        document.report_unless(&other)
    });
    wait.recv().expect("the scan begins");
    flag.cancel();
    assert_eq!(scan.join().expect("no panic"), None);
}
