//! Recognises Python 2 by its statements. A cheap look at the lines comes first, the parser confirms.

use std::sync::LazyLock;

use regex::Regex;
use tree_sitter::Parser;

static SUSPECT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?m)^[ \t]*(?:print[ \t]+["'\w%]|print[ \t]*>>|exec[ \t]+["'\w]|(?:el)?if\b.*<>|except[ \t]+[\w.]+[ \t]*,[ \t]*\w+[ \t]*:|raise[ \t]+\w+[ \t]*,)"#,
    )
    .ok()
});

static EXCEPT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^[ \t]*(?:except[ \t]+[\w.]+[ \t]*,[ \t]*\w+[ \t]*:|raise[ \t]+\w+[ \t]*,)").ok()
});

/// The first statement that only Python 2 has, and where it stands.
pub(super) fn detect(text: &str) -> Option<(&'static str, (usize, usize))> {
    if text.len() > 4 << 20 || !SUSPECT.as_ref()?.is_match(text) {
        return None;
    }
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_python::LANGUAGE.into())
        .ok()?;
    let tree = parser.parse(text, None)?;
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        let what = match node.kind() {
            "print_statement" => Some("the `print` statement"),
            "exec_statement" => Some("the `exec` statement"),
            "<>" => Some("the operator `<>`"),
            "except_clause" | "raise_statement" if old_comma(text.get(node.byte_range())?) => {
                Some("the comma in `except` or `raise`")
            }
            _ => None,
        };
        if let Some(what) = what {
            let end = text[node.start_byte()..]
                .find('\n')
                .map_or(node.end_byte(), |at| node.start_byte() + at);
            return Some((
                what,
                (
                    node.start_byte(),
                    end.min(node.end_byte()).max(node.start_byte()),
                ),
            ));
        }
        if cursor.goto_first_child() {
            continue;
        }
        loop {
            if cursor.goto_next_sibling() {
                break;
            }
            if !cursor.goto_parent() {
                return None;
            }
        }
    }
}

fn old_comma(clause: &str) -> bool {
    EXCEPT
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(clause))
}
