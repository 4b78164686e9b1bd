//! Hostile texts: deep, huge, repetitive, broken. Nothing may panic or overflow, and the work that is counted may
//! grow no faster than the text. No test here looks at a clock; a run that does not end is cut by nextest.

use proptest::prelude::*;
use saferun_scanner::{Level, Options, scan};

#[test]
fn nested_parentheses() {
    let depth = 200_000;
    let code = format!("x = {}1{}", "(".repeat(depth), ")".repeat(depth));
    let _ = scan(&code, &Options::default());
}

#[test]
fn nested_lists_calls_and_attributes() {
    for (open, close) in [
        ("[", "]"),
        ("f(", ")"),
        ("{1: ", "}"),
        ("lambda: ", ""),
        ("not ", ""),
        ("-", ""),
        ("a if b else ", ""),
    ] {
        let code = format!("x = {}1{}", open.repeat(20_000), close.repeat(20_000));
        let _ = scan(&code, &Options::default());
    }
    let _ = scan(
        &format!("x = a{}", ".b".repeat(50_000)),
        &Options::default(),
    );
    let _ = scan(
        &format!("x = a{}", "()".repeat(50_000)),
        &Options::default(),
    );
    let _ = scan(
        &format!("import os\nx = os{}", ".b".repeat(50_000)),
        &Options::default(),
    );
    let _ = scan(
        &format!("x = 'a'{}", " + 'a'".repeat(50_000)),
        &Options::default(),
    );
}

#[test]
fn a_hundred_thousand_aliases() {
    let mut code = String::from("import os\na0 = os.system\n");
    for index in 1..100_000 {
        use std::fmt::Write as _;
        writeln!(code, "a{index} = a{}", index - 1).expect("a string");
    }
    code.push_str("a99999('rm -rf ~')\n");
    let report = scan(&code, &Options::default());
    assert_eq!(report.risk(), Level::Blocked);
}

#[test]
fn nested_containers_and_growing_values() {
    let code = format!(
        "import os\nx = os.system\n{}x[0]\n",
        "x = [x, x, x]\n".repeat(5_000)
    );
    let _ = scan(&code, &Options::default());
    let code = format!("x = 'ab'\n{}exec(x)\n", "x = x + x\n".repeat(5_000));
    let _ = scan(&code, &Options::default());
    let code = format!("x = []\n{}", "x.append('a')\n".repeat(20_000));
    let _ = scan(&code, &Options::default());
    let code = format!("d = {{}}\n{}", "d['a'] = d\n".repeat(20_000));
    let _ = scan(&code, &Options::default());
    let nested = "exec('".repeat(500);
    let _ = scan(&nested, &Options::default());
    let _ = scan(
        "[[[[[x for x in range(4000)] for x in range(4000)] for x in range(4000)] for x in range(4000)] for x in range(4000)]",
        &Options::default(),
    );
    let _ = scan(
        "import zlib, base64\nexec(zlib.decompress(base64.b64decode('eJw=')))",
        &Options::default(),
    );
}

#[test]
fn recursion_of_the_scanned_code() {
    let code = "def f(x):\n    return f(g(x))\ndef g(x):\n    return f(x)\nf(f(f(1)))\nclass A(A): pass\nclass B(C): pass\nclass C(B): pass\nB().x()\nh = lambda: h()\nh()\n";
    let _ = scan(code, &Options::default());
    let mut chain = String::new();
    for i in 0..2_000 {
        use std::fmt::Write as _;
        writeln!(
            chain,
            "def f{i}(x):\n    return f{}(x) + f{}(x)",
            i + 1,
            i + 1
        )
        .expect("a string");
    }
    let _ = scan(&format!("{chain}f0(input())\n"), &Options::default());
}

#[test]
fn broken_text() {
    for code in [
        "",
        "\0",
        "\u{feff}x = 1",
        "def",
        "(((",
        "'''",
        "f'{",
        "f'{a!r:{b}}'",
        "\r\n\r",
        "class",
        "@",
        "x = \\",
        "import",
        "from . import *",
        "match x:\n case [",
        "\u{2028}",
        "é = 'ü'\né()",
        "lambda",
        "del",
        "exec 'x'",
        "print 'x'",
        "async",
        "*a = b",
        "a[1:2:3] = b[::]",
        "x = y = z = w = 1",
        "(yield)",
        "return",
        "global x",
        "nonlocal y",
        "with a as b, c as d: pass",
    ] {
        let _ = scan(code, &Options::default());
    }
}

#[test]
fn ten_megabytes_on_one_line() {
    let code = format!("x = [{}]", "1, ".repeat(3_400_000));
    let report = scan(&code, &Options::default());
    assert!(report.incomplete || report.findings.is_empty());
    let text = format!("x = '{}'", "é".repeat(5_000_000));
    let _ = scan(&text, &Options::default());
}

/// The least budget with which a text is analysed to its end: its work, counted.
fn least_budget(code: &str) -> u64 {
    let suffices = |max_steps| {
        let options = Options {
            max_steps,
            ..Options::default()
        };
        !scan(code, &options).incomplete
    };
    let (mut too_little, mut enough) = (0, Options::default().max_steps);
    assert!(suffices(enough), "the text is too large to be counted");
    while enough - too_little > 1 + enough / 200 {
        let middle = too_little + (enough - too_little) / 2;
        if suffices(middle) {
            enough = middle;
        } else {
            too_little = middle;
        }
    }
    enough
}

/// A name, and a text of a size.
type Growing = (&'static str, fn(usize) -> String);

fn numbered(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

const GROWING: [Growing; 9] = [
    ("nested parentheses", |n| {
        format!("x = {}1{}\n", "(".repeat(n), ")".repeat(n))
    }),
    ("nested lists", |n| {
        format!("x = {}1{}\n", "[".repeat(n), "]".repeat(n))
    }),
    ("nested calls", |n| {
        format!("x = {}1{}\n", "f(".repeat(n), ")".repeat(n))
    }),
    ("a long line", |n| {
        format!("x = [{}]\n", "1, ".repeat(4 * n))
    }),
    ("a long sum of strings", |n| {
        format!("x = 'a'{}\n", " + 'a'".repeat(n))
    }),
    ("aliases", |n| {
        let aliases = numbered(n, |i| format!("a{} = a{i}\n", i + 1));
        format!("import os\na0 = os.system\n{aliases}a{n}('ls')\n")
    }),
    ("aliases, the last first", |n| {
        let aliases = numbered(n, |i| {
            format!("def f{i}():\n    global a{0}\n    a{0} = a{i}\n", i + 1)
        });
        format!("import os\na0 = os.system\n{aliases}a{n}('ls')\n")
    }),
    ("functions that call each other", |n| {
        let functions = numbered(n / 2, |i| {
            format!("def f{i}(a, b=1):\n    return f{}(a) + b\n", i + 1)
        });
        format!("{functions}f0(input())\n")
    }),
    ("items of a dictionary", |n| {
        format!(
            "d = {{}}\n{}",
            numbered(n, |i| format!("d['k{i}'] = 'v'\n"))
        )
    }),
];

#[test]
fn twice_the_text_is_at_most_twice_the_work() {
    for (name, text) in GROWING {
        let (once, twice) = (least_budget(&text(1_000)), least_budget(&text(2_000)));
        println!("{name}: {once} steps, {twice} for twice the text");
        assert!(once >= 1_000, "{name}: {once} steps are no work");
        // A tenth more: texts of twice the number have longer numbers in their names.
        assert!(
            10 * twice <= 22 * once,
            "{name}: {once} steps become {twice} for twice the text"
        );
    }
}

#[test]
fn a_budget_ends_the_work_and_says_so() {
    for (name, text) in GROWING {
        let options = Options {
            max_steps: 200,
            ..Options::default()
        };
        let report = scan(&text(1_000), &options);
        assert!(report.incomplete, "{name}");
        assert!(report.risk() >= Level::High, "{name}");
        assert!(
            report
                .findings
                .iter()
                .any(|finding| finding.rule == "SR003"),
            "{name}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_scanned(text in "\\PC{0,200}") {
        let _ = scan(&text, &Options { max_steps: 100_000, honour_suppressions: true });
    }

    #[test]
    fn pieces_of_python_are_scanned(parts in proptest::collection::vec(prop::sample::select(vec![
        "import os\n", "os.system(", "'rm -rf ~'", ")", "\n", "exec(", "x", " = ", "[", "]", "(", "{", "}", ":", "def f(", "class A(",
        "for x in ", "    ", "lambda x: ", "f'{", "}'", "@", "*", "**", "getattr(", ", ", "if ", "else", "try:\n", "except ", "with ", " as ",
        "yield ", "await ", ".join(", "[::-1]", "globals()", "__import__(", "# saferun: ignore[SR101] x\n", "+", "%", "1", "b'\\xff'", "return ",
        "match x:\n", " case ", "del ", "import ", "from os import *\n", ":=", "é", "\t", "while True:\n", "\\\n",
    ]), 0..60)) {
        let code: String = parts.concat();
        let _ = scan(&code, &Options { max_steps: 200_000, honour_suppressions: true });
    }
}
