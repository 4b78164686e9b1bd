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
            let report = document.report();
            if !document.is_rough() {
                let fresh = scan(document.text(), &Options::default());
                prop_assert_eq!(&report, &fresh, "{}", document.text());
            }
            let lines = document.text().split('\n').count();
            for one in &report.findings {
                let place = document.text().get(one.bytes.0..one.bytes.1);
                prop_assert!(place.is_some(), "{one:?}\n{}", document.text());
                prop_assert!(one.range.end.line as usize <= lines, "{one:?}\n{}", document.text());
            }
        }
        document.settle();
        prop_assert!(!document.is_rough());
        let fresh = scan(document.text(), &Options::default());
        prop_assert_eq!(document.report(), fresh, "{}", document.text());
    }
}

/// Types a text at a place, a character at a time, and gives the document after each.
fn type_at(document: &mut Document, mut at: usize, typed: &str, mut see: impl FnMut(&Document)) {
    for character in typed.chars() {
        let new = character.to_string();
        document
            .apply_edit_roughly(at..at, &new)
            .expect("the range is inside");
        at += new.len();
        see(document);
    }
}

fn places(document: &Document) -> Vec<(String, u32, u32)> {
    let findings = document.report().findings.into_iter();
    findings
        .map(|one| (one.rule, one.range.start.line, one.range.start.column))
        .collect()
}

#[test]
fn a_line_that_is_being_typed_is_told_apart_from_all_else() {
    let text = "import os\n\ndef f(x):\n    é = 1\n    os.system(x)\n\nos.remove('/etc/passwd')\n";
    let mut document = Document::new(text, Options::default());
    let at = text.find("    os.system").expect("it is there");
    document.apply_edit_roughly(at..at, "\n").expect("inside");
    let before = places(&document);
    assert!(before.len() >= 4, "{before:?}");
    // Quotes and brackets that are open swallow what is below where the parser has to guess.
    type_at(&mut document, at, "    y = [\"\"\"é", |document| {
        let mut now = places(document);
        now.retain(|one| one.0 != "SR001");
        assert_eq!(now.len(), before.len(), "{now:?}\n{}", document.text());
    });
    assert!(document.is_rough());
    let broken = places(&document);
    assert!(
        broken.iter().any(|one| one.0 == "SR001" && one.1 == 5),
        "{broken:?}"
    );
    let late = CancelFlag::new();
    late.cancel();
    assert!(!document.settle_unless(&late) && document.is_rough());
    assert_eq!(places(&document), broken);
    document.settle();
    assert_eq!(
        document.report(),
        scan(document.text(), &Options::default())
    );
    // And on from there.
    let at = document.text().find("\"é").expect("it was typed") + 3;
    document
        .apply_edit_roughly(at..at, "\"\"\"]\n")
        .expect("inside");
    assert!(!document.is_rough(), "{}", document.text());
    assert_eq!(
        document.report(),
        scan(document.text(), &Options::default())
    );
}

#[test]
fn what_is_in_a_broken_line_is_found_where_it_stands() {
    let text = "import os\nif os.getcwd():\n    é = 'ü'\n    pass\n";
    let mut document = Document::new(text, Options::default());
    let at = text.find("    pass").expect("it is there");
    type_at(
        &mut document,
        at,
        "    z = ['ß', os.system('rm -rf ~')\n",
        |_| (),
    );
    assert!(document.is_rough());
    let found = document.report().findings;
    let worst = found
        .iter()
        .find(|one| one.level == saferun_scanner::Level::Blocked);
    let worst = worst.unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!((worst.range.start.line, worst.range.start.column), (4, 15));
    assert!(
        document.text()[worst.bytes.0..].starts_with("os.system"),
        "{worst:?}"
    );
}

#[test]
fn the_head_of_a_block_may_be_broken() {
    let text = "import os\ndef f(x):\n    os.system(x)\n";
    let mut document = Document::new(text, Options::default());
    let before = places(&document);
    let at = text.find("):").expect("it is there");
    document
        .apply_edit_roughly(at..at, ", y=[")
        .expect("inside");
    let mut now = places(&document);
    now.retain(|one| one.0 != "SR001");
    assert!(document.is_rough() && now == before, "{now:?}");
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

#[test]
fn options_hold_from_the_next_report_on() {
    let text = "import os\n# saferun: ignore reviewed\nos.system(input())\n";
    let mut document = Document::new(text, Options::default());
    assert!(!document.report().findings.is_empty());
    for honour_suppressions in [true, false] {
        let options = Options {
            honour_suppressions,
            ..Options::default()
        };
        document.set_options(options.clone());
        assert_eq!(
            document.report(),
            Document::new(text, options.clone()).report()
        );
    }
}
