//! What is sent of a file: all of it, the block of a Markdown text, or a selection with the imports and definitions that
//! it needs. What is left out is left blank, so that line numbers stay those of the file. Pure.

use std::collections::BTreeSet;

use saferun_scanner::extract::python_of_cell;
use tower_lsp_server::ls_types::{Position, Range};
use tree_sitter::{Node, Parser};

use crate::{
    document::Kind,
    position::{Encoding, LineIndex},
};

/// A fenced block of Python: lines from 0, the end not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fence {
    /// First line of the code.
    pub(crate) first: u32,
    /// Line of the closing fence.
    pub(crate) end: u32,
}

/// The Python blocks of a Markdown text.
pub(crate) fn fences(text: &str) -> Vec<Fence> {
    let mut all = Vec::new();
    let mut open: Option<(char, usize, bool, u32)> = None;
    for (number, line) in (0u32..).zip(text.split('\n')) {
        let line = line.trim();
        let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'));
        let length = mark.map_or(0, |mark| line.chars().take_while(|c| *c == mark).count());
        match (open, mark) {
            (None, Some(mark)) if length >= 3 => {
                let info = line[length..].trim().trim_start_matches(['{', '.']);
                let word = info.split(|c: char| !c.is_ascii_alphanumeric()).next();
                let language = word.unwrap_or_default().to_ascii_lowercase();
                let python = matches!(language.as_str(), "python" | "python3" | "py" | "py3");
                open = Some((mark, length, python, number + 1));
            }
            (Some((mark, least, python, first)), Some(now))
                if now == mark && length >= least && line.len() == length =>
            {
                if python {
                    all.push(Fence { first, end: number });
                }
                open = None;
            }
            _ => {}
        }
    }
    all
}

/// The code to run, or why there is none.
pub(super) fn of(
    kind: Kind,
    text: &str,
    range: Option<Range>,
    encoding: Encoding,
) -> Result<String, String> {
    match (kind, range) {
        (Kind::Policy(_), _) => Err("a policy cannot be run".to_owned()),
        (Kind::Python | Kind::Cell, None) => Ok(text.to_owned()),
        (Kind::Python | Kind::Cell, Some(range)) => Ok(selection(text, range, encoding)),
        (Kind::Markdown, range) => {
            let blocks = fences(text);
            let line = range.map(|range| range.start.line);
            let block = match line {
                Some(line) => blocks
                    .iter()
                    .find(|block| (block.first.saturating_sub(1)..=block.end).contains(&line)),
                None if blocks.len() == 1 => blocks.first(),
                None => None,
            };
            block.map(|block| fenced(text, *block)).ok_or_else(|| {
                "put the cursor into a fenced block of Python, and run that".to_owned()
            })
        }
    }
}

/// A cell, or a part of it, below the cells above it as far as it needs them; also gives the lines above it.
pub(super) fn of_cell(
    above: &[String],
    cell: &str,
    range: Option<Range>,
    encoding: Encoding,
) -> Result<(String, u32), String> {
    let own = python_of_cell(cell);
    if own.trim().is_empty() && !cell.trim().is_empty() {
        return Err("this cell holds no Python of its own, only magics".to_owned());
    }
    let mut whole = String::new();
    for text in above {
        whole.push_str(&python_of_cell(text));
        whole.push('\n');
    }
    let lines = u32::try_from(whole.matches('\n').count()).unwrap_or(u32::MAX);
    let count = u32::try_from(own.matches('\n').count() + 1).unwrap_or(u32::MAX);
    whole.push_str(&own);
    whole.push('\n');
    let range = range.unwrap_or_else(|| Range::new(Position::new(0, 0), Position::new(count, 0)));
    let down = |at: Position| Position::new(at.line.saturating_add(lines), at.character);
    let range = Range::new(down(range.start), down(range.end));
    Ok((selection(&whole, range, encoding), lines))
}

/// The lines of a block on their own lines, without the block's indentation.
fn fenced(text: &str, block: Fence) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let inside = lines
        .get(block.first as usize..block.end as usize)
        .unwrap_or_default();
    let depth = inside
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start_matches([' ', '\t']).len())
        .min()
        .unwrap_or(0);
    let mut code = "\n".repeat(block.first as usize);
    for line in inside {
        code.push_str(line.get(depth..).unwrap_or_default());
        code.push('\n');
    }
    code
}

/// A statement at the top of the module, with what it binds and what it reads.
struct Statement {
    first: usize,
    end: usize,
    binds: BTreeSet<String>,
    reads: BTreeSet<String>,
}

fn selection(text: &str, range: Range, encoding: Encoding) -> String {
    let index = LineIndex::new(text);
    let from = range.start.line as usize;
    let until = match range.end.character {
        0 if range.end.line > range.start.line => range.end.line as usize,
        _ => range.end.line as usize + 1,
    };
    let one_line = range.start.line == range.end.line && range.start != range.end;
    let lines: Vec<&str> = text.split('\n').collect();
    let chosen: Vec<&str> = if one_line {
        let start = index.offset(text, range.start, encoding);
        let end = index.offset(text, range.end, encoding).max(start);
        vec![&text[start..end]]
    } else {
        lines
            .get(from..until.min(lines.len()))
            .unwrap_or_default()
            .to_vec()
    };
    let depth = chosen
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start_matches([' ', '\t']).len())
        .min()
        .unwrap_or(0);
    let mut kept: Vec<String> = vec![String::new(); lines.len()];
    let mut code = String::new();
    for (offset, line) in chosen.iter().enumerate() {
        let line = line.get(depth..).unwrap_or_default();
        code.push_str(line);
        code.push('\n');
        if let Some(place) = kept.get_mut(from + offset) {
            line.clone_into(place);
        }
    }
    for statement in needed(text, &code, from..until) {
        for line in statement.first..statement.end.min(lines.len()) {
            lines[line].clone_into(&mut kept[line]);
        }
    }
    kept.join("\n")
}

/// The statements outside of the selection that bind what it reads, and what those read in turn.
fn needed(text: &str, code: &str, selected: std::ops::Range<usize>) -> Vec<Statement> {
    let mut wanted = top(code)
        .into_iter()
        .flat_map(|statement| statement.reads)
        .collect::<BTreeSet<String>>();
    let mut rest: Vec<Statement> = top(text)
        .into_iter()
        .filter(|statement| statement.end <= selected.start || statement.first >= selected.end)
        .collect();
    let mut chosen = Vec::new();
    loop {
        let (now, later): (Vec<Statement>, Vec<Statement>) =
            rest.into_iter().partition(|statement| {
                statement.binds.contains("*") || !statement.binds.is_disjoint(&wanted)
            });
        if now.is_empty() {
            return chosen;
        }
        for statement in &now {
            wanted.extend(statement.reads.iter().cloned());
        }
        chosen.extend(now);
        rest = later;
    }
}

/// The imports, definitions and assignments at the top level.
fn top(text: &str) -> Vec<Statement> {
    let mut parser = Parser::new();
    if parser
        .set_language(&tree_sitter_python::LANGUAGE.into())
        .is_err()
    {
        return Vec::new();
    }
    let Some(tree) = parser.parse(text, None) else {
        return Vec::new();
    };
    let root = tree.root_node();
    let mut cursor = root.walk();
    root.named_children(&mut cursor)
        .map(|node| Statement {
            first: node.start_position().row,
            end: node.end_position().row + 1,
            binds: bound(node, text),
            reads: names(node, text),
        })
        .collect()
}

fn bound(node: Node, text: &str) -> BTreeSet<String> {
    let word = |node: Node| text[node.byte_range()].to_owned();
    let mut cursor = node.walk();
    match node.kind() {
        "function_definition" | "class_definition" => node
            .child_by_field_name("name")
            .map(word)
            .into_iter()
            .collect(),
        "decorated_definition" => node
            .child_by_field_name("definition")
            .map(|inner| bound(inner, text))
            .unwrap_or_default(),
        "import_statement" | "import_from_statement" => {
            let named = node.children_by_field_name("name", &mut cursor);
            let mut all: BTreeSet<String> = named
                .map(|name| match name.child_by_field_name("alias") {
                    Some(alias) => word(alias),
                    None => word(name).split('.').next().unwrap_or_default().to_owned(),
                })
                .collect();
            let mut cursor = node.walk();
            if node
                .children(&mut cursor)
                .any(|child| child.kind() == "wildcard_import")
            {
                all.insert("*".to_owned());
            }
            all
        }
        "expression_statement" => node
            .named_child(0)
            .filter(|inner| matches!(inner.kind(), "assignment" | "augmented_assignment"))
            .and_then(|inner| inner.child_by_field_name("left"))
            .map(|left| names(left, text))
            .unwrap_or_default(),
        "if_statement" | "try_statement" | "with_statement" => {
            // Guarded imports and definitions: whatever they bind anywhere inside.
            let mut all = BTreeSet::new();
            walk(node, &mut |inner| {
                if inner != node
                    && !matches!(
                        inner.kind(),
                        "if_statement" | "try_statement" | "with_statement"
                    )
                {
                    all.extend(bound(inner, text));
                }
            });
            all
        }
        _ => BTreeSet::new(),
    }
}

fn names(node: Node, text: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    walk(node, &mut |inner| {
        if inner.kind() == "identifier" {
            all.insert(text[inner.byte_range()].to_owned());
        }
    });
    all
}

/// Every node below, without recursion: nesting is the code's own.
fn walk<'t>(node: Node<'t>, see: &mut impl FnMut(Node<'t>)) {
    let mut cursor = node.walk();
    loop {
        see(cursor.node());
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(from: u32, until: u32) -> Range {
        Range::new(Position::new(from, 0), Position::new(until, 0))
    }

    #[test]
    fn a_selection_brings_what_it_needs_on_the_same_lines() {
        let text = "import json\nimport os\nLIMIT = 3\ndef f(x):\n    return json.dumps(x) * LIMIT\n\nprint('not this')\nfor i in [1]:\n    print(f(i))\n";
        let code = of(Kind::Python, text, Some(lines(8, 9)), Encoding::Utf16).unwrap();
        assert_eq!(
            code.lines().collect::<Vec<_>>(),
            [
                "import json",
                "",
                "LIMIT = 3",
                "def f(x):",
                "    return json.dumps(x) * LIMIT",
                "",
                "",
                "",
                "print(f(i))"
            ]
        );
    }

    #[test]
    fn part_of_a_line_is_run_alone() {
        let range = Range::new(Position::new(0, 4), Position::new(0, 12));
        let code = of(Kind::Python, "x = print(1)\n", Some(range), Encoding::Utf16).unwrap();
        assert_eq!(code.trim(), "print(1)");
    }

    #[test]
    fn a_cell_brings_what_it_needs_of_those_above() {
        let above = [
            "%pip install x\nimport json\nimport os".to_owned(),
            "def f(x):\n    return json.dumps(x)\nprint('no')\n".to_owned(),
        ];
        let (code, lines) = of_cell(&above, "%time\nprint(f(1))", None, Encoding::Utf16).unwrap();
        assert_eq!(lines, 7);
        let kept: Vec<&str> = code.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(
            &kept[..3],
            ["import json", "def f(x):", "    return json.dumps(x)"]
        );
        assert_eq!(code.lines().nth(8), Some("print(f(1))"));
        assert!(
            !code.contains("print('no')") && !code.contains('%'),
            "{code}"
        );
        assert!(of_cell(&above, "%%bash\nls\n", None, Encoding::Utf16).is_err());
    }

    #[test]
    fn guarded_imports_count() {
        let text =
            "try:\n    import ujson as json\nexcept ImportError:\n    import json\nprint(json)\n";
        let code = of(Kind::Python, text, Some(lines(4, 5)), Encoding::Utf16).unwrap();
        assert_eq!(code.trim_end(), text.trim_end());
    }

    #[test]
    fn a_block_of_markdown_keeps_its_lines() {
        let text = "# T\n\n- a\n  ```python\n  if 1:\n      print(2)\n  ```\n```sh\nrm x\n```\n";
        assert_eq!(fences(text), [Fence { first: 4, end: 6 }]);
        let code = of(Kind::Markdown, text, Some(lines(5, 5)), Encoding::Utf16).unwrap();
        assert_eq!(code, "\n\n\n\nif 1:\n    print(2)\n");
        assert!(of(Kind::Markdown, text, Some(lines(8, 8)), Encoding::Utf16).is_err());
    }

    #[test]
    fn deep_nesting_does_not_overflow() {
        let text = format!(
            "x = {}1{}\nprint(x)\n",
            "(".repeat(50_000),
            ")".repeat(50_000)
        );
        let code = of(Kind::Python, &text, Some(lines(1, 2)), Encoding::Utf16).unwrap();
        assert!(code.ends_with("print(x)\n"));
    }
}
