//! What is said of findings about files rather than code, for `explain`. They are raised by this module alone.

use crate::{Category, Level, Match, Rule};

const fn rule(
    (id, name, level): (&'static str, &'static str, Level),
    message: &'static str,
    why: &'static str,
    (bad, safer): (&'static str, &'static str),
) -> Rule {
    Rule {
        id,
        name,
        level,
        category: Category::Source,
        cwe: None,
        message,
        why,
        bad,
        safer,
        matches: &[Match::Engine],
    }
}

/// The rules on files.
pub(crate) const RULES: &[Rule] = &[
    rule(
        ("SR951", "null-bytes", Level::High),
        "there are null bytes in the file",
        "Some tools stop reading at a null byte and others do not, so that a reviewer and the interpreter may see different programs.",
        ("x = 1\\0", "Remove the null bytes."),
    ),
    rule(
        ("SR952", "undecodable-source", Level::High),
        "some bytes do not decode, or the encoding is not known",
        "What cannot be decoded cannot be judged; Python may read it differently, or refuse it.",
        ("# coding: no-such-encoding", "Save the file as UTF-8."),
    ),
    rule(
        ("SR953", "hiding-encoding", Level::High),
        "the encoding lets text stand for other text",
        "With utf-7 and unicode_escape a comment can hold a line end, and the code behind it runs although no editor shows it as code. The decoded text is analysed.",
        ("# coding: utf-7", "Save the file as UTF-8."),
    ),
    rule(
        ("SR954", "encoding-rejected-by-python", Level::Medium),
        "Python refuses a source file in this encoding",
        "The file cannot run as it is, so it was meant for something else, or for another reader than Python.",
        ("a file in UTF-16", "Save the file as UTF-8."),
    ),
    rule(
        ("SR955", "notebook-shell", Level::Medium),
        "a notebook cell runs shell text",
        "Lines that begin with `!` and cells that begin with `%%bash` run in a shell. The text is judged as in any other shell call, and the level follows from it.",
        (
            "!rm -rf ~",
            "Use Python's own functions, on paths below the working folder.",
        ),
    ),
    rule(
        ("SR956", "broken-notebook", Level::High),
        "the notebook cannot be read",
        "A notebook that is no valid JSON, or in another language than Python, was not analysed, and what was not analysed is never taken for safe.",
        ("{\"cells\": 3}", "Save the notebook again from Jupyter."),
    ),
    rule(
        ("SR957", "foreign-cell", Level::Medium),
        "a cell is in another language, or begins with an unknown magic",
        "Cells such as `%%perl` run in another interpreter, which is not analysed.",
        ("%%perl\nsystem('ls')", "Write the cell in Python."),
    ),
];
