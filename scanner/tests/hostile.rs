//! Hostile texts: deep, huge, repetitive, broken. Nothing may panic or overflow, and the work that is counted may
//! grow no faster than the text. No test here looks at a clock; a run that does not end is cut by nextest.

use proptest::prelude::*;
use saferun_scanner::{Options, scan};

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
    assert_eq!(report.risk(), saferun_scanner::Level::Blocked);
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
