//! Safer code for a finding, where the rewrite is certain to mean the same. Pure: a finding and its text give an edit or
//! nothing. What is not plainly written (aliases, unpacked arguments, computed values) is left to the person.

use std::ops::Range;

use saferun_scanner::Finding;
use tree_sitter::{Node, Parser};

/// Replaces bytes of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) bytes: Range<usize>,
    pub(crate) text: String,
}

/// A rewrite with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rewrite {
    pub(crate) title: String,
    pub(crate) edits: Vec<Edit>,
}

/// The rewrite of a finding, if one is certain.
pub(crate) fn of(source: &str, finding: &Finding) -> Option<Rewrite> {
    let (start, end) = finding.bytes;
    let piece = source.get(start..end)?;
    if piece.len() > 10_000 {
        return None;
    }
    if finding.rule == "SR414" {
        return secret(source, start..end);
    }
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_python::LANGUAGE.into())
        .ok()?;
    let tree = parser.parse(piece, None)?;
    let root = tree.root_node();
    if root.has_error() {
        return None;
    }
    let call = root.named_child(0)?.named_child(0)?;
    if call.kind() != "call" || call.byte_range() != (0..piece.len()) {
        return None;
    }
    let call = Call::new(call, piece)?;
    let mut rewrite = match (finding.rule.as_str(), finding.subject.as_str()) {
        ("SR631", "yaml.load") => call.safe_load(),
        ("SR314", "tempfile.mktemp") => call.mkstemp(),
        ("SR611", _) => call.verified(),
        ("SR201", name) if name.starts_with("subprocess.") => call.without_shell(),
        _ => None,
    }?;
    for edit in &mut rewrite.edits {
        edit.bytes = edit.bytes.start + start..edit.bytes.end + start;
    }
    Some(rewrite)
}

/// A call whose arguments are all plainly written.
struct Call<'t> {
    text: &'t str,
    /// The last name of what is called: `load` in `yaml.load`.
    name: Node<'t>,
    arguments: Vec<Node<'t>>,
}

impl<'t> Call<'t> {
    fn new(call: Node<'t>, text: &'t str) -> Option<Self> {
        let function = call.child_by_field_name("function")?;
        if function.kind() != "attribute" {
            return None;
        }
        let name = function.child_by_field_name("attribute")?;
        let list = call.child_by_field_name("arguments")?;
        if list.kind() != "argument_list" {
            return None;
        }
        let mut cursor = list.walk();
        let arguments: Vec<Node> = list.named_children(&mut cursor).collect();
        let unclear = ["list_splat", "dictionary_splat", "comment"];
        if arguments.iter().any(|node| unclear.contains(&node.kind())) {
            return None;
        }
        Some(Self {
            text,
            name,
            arguments,
        })
    }

    fn text(&self, node: Node) -> &'t str {
        &self.text[node.byte_range()]
    }

    /// The argument with this keyword: its place, and its value.
    fn keyword(&self, name: &str) -> Option<(usize, Node<'t>)> {
        self.arguments.iter().enumerate().find_map(|(at, node)| {
            let key = node.child_by_field_name("name")?;
            (node.kind() == "keyword_argument" && self.text(key) == name)
                .then(|| node.child_by_field_name("value"))
                .flatten()
                .map(|value| (at, value))
        })
    }

    /// Takes away an argument with the comma that parts it from its neighbour.
    fn without(&self, at: usize) -> Edit {
        let node = self.arguments[at];
        let bytes = match (at.checked_sub(1), self.arguments.get(at + 1)) {
            (_, Some(next)) => node.start_byte()..next.start_byte(),
            (Some(before), None) => self.arguments[before].end_byte()..node.end_byte(),
            (None, None) => node.byte_range(),
        };
        Edit {
            bytes,
            text: String::new(),
        }
    }

    fn renamed(&self, name: &str) -> Edit {
        Edit {
            bytes: self.name.byte_range(),
            text: name.to_owned(),
        }
    }

    fn safe_load(&self) -> Option<Rewrite> {
        // With a loader named, the finding is that name, and which loader is meant is the person's to say.
        let plain = self.arguments.len() == 1 && self.arguments[0].kind() != "keyword_argument";
        if self.text(self.name) != "load" || !plain {
            return None;
        }
        let edits = vec![self.renamed("safe_load")];
        Some(Rewrite {
            title: "Use yaml.safe_load, which makes plain data only".to_owned(),
            edits,
        })
    }

    fn mkstemp(&self) -> Option<Rewrite> {
        if self.text(self.name) != "mktemp" {
            return None;
        }
        let end = self.text.len();
        Some(Rewrite {
            title: "Use tempfile.mkstemp, which creates the file itself".to_owned(),
            edits: vec![
                self.renamed("mkstemp"),
                Edit {
                    bytes: end..end,
                    text: "[1]".to_owned(),
                },
            ],
        })
    }

    fn verified(&self) -> Option<Rewrite> {
        let (at, value) = self.keyword("verify")?;
        (value.kind() == "false").then(|| Rewrite {
            title: "Check the certificate: remove verify=False".to_owned(),
            edits: vec![self.without(at)],
        })
    }

    fn without_shell(&self) -> Option<Rewrite> {
        let (at, value) = self.keyword("shell")?;
        let command = *self.arguments.first()?;
        if value.kind() != "true"
            || command.kind() != "string"
            || self.keyword("executable").is_some()
        {
            return None;
        }
        let words = words(plain_string(self.text(command))?)?;
        let list: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        Some(Rewrite {
            title: "Start the program without a shell".to_owned(),
            edits: vec![
                Edit {
                    bytes: command.byte_range(),
                    text: format!("[{}]", list.join(", ")),
                },
                self.without(at),
            ],
        })
    }
}

/// What stands between the quotes of a one-line string without prefix and escapes.
fn plain_string(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains([quote, '\\', '\n'])).then_some(inner)
}

/// The words of a command that means to a shell what it says: no quotes, patterns, variables, operators or builtins.
fn words(command: &str) -> Option<Vec<&str>> {
    // What only a shell knows, and would be looked for as a program.
    const BUILTINS: [&str; 19] = [
        ".", ":", "alias", "cd", "command", "eval", "exec", "exit", "export", "read", "set",
        "shift", "source", "trap", "type", "ulimit", "umask", "unset", "wait",
    ];
    let plain = |c: char| c.is_ascii_alphanumeric() || " ./-_,:@%+".contains(c);
    if !command.chars().all(plain) {
        return None;
    }
    let words: Vec<&str> = command.split_whitespace().collect();
    (!BUILTINS.contains(words.first()?)).then_some(words)
}

/// `NAME = "secret"` to a look-up in the environment, with the import if it is missing.
fn secret(source: &str, bytes: Range<usize>) -> Option<Rewrite> {
    // The finding is what stands between the quotes.
    let bytes = bytes.start.checked_sub(1)?..bytes.end + 1;
    plain_string(source.get(bytes.clone())?)?;
    let line_start = source[..bytes.start].rfind('\n').map_or(0, |at| at + 1);
    let name = source[line_start..bytes.start]
        .trim()
        .strip_suffix('=')?
        .trim();
    let constant = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if !constant {
        return None;
    }
    let mut edits = vec![Edit {
        bytes,
        text: format!("os.environ[\"{}\"]", name.to_uppercase()),
    }];
    if !source.lines().any(|line| line.trim_end() == "import os") {
        let at = import_place(source, line_start)?;
        edits.push(Edit {
            bytes: at..at,
            text: "import os\n".to_owned(),
        });
    }
    Some(Rewrite {
        title: format!("Take it from the environment: {}", name.to_uppercase()),
        edits,
    })
}

/// Before the first import, which is behind every docstring; `__future__` imports stay first.
fn import_place(source: &str, before: usize) -> Option<usize> {
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        if at >= before {
            break;
        }
        let first = line.starts_with("import ") || line.starts_with("from ");
        if first && !line.starts_with("from __future__") {
            return Some(at);
        }
        at += line.len();
    }
    // Without an import, the top is right only where nothing but code stands there.
    let head = source.lines().next().unwrap_or_default();
    let plain =
        !head.starts_with(['#', '"', '\'', 'r', 'R']) && !head.starts_with("from __future__");
    plain.then_some(0)
}

#[cfg(test)]
mod tests {
    use saferun_scanner::{Options, scan};

    use super::*;

    fn rewritten(source: &str, rule: &str) -> Option<String> {
        let report = scan(source, &Options::default());
        let finding = report.findings.iter().find(|finding| finding.rule == rule);
        let finding = finding.unwrap_or_else(|| panic!("no {rule} in {:?}", report.findings));
        let mut edits = of(source, finding)?.edits;
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.bytes.start));
        let mut text = source.to_owned();
        for edit in edits {
            text.replace_range(edit.bytes, &edit.text);
        }
        Some(text)
    }

    #[test]
    fn certain_rewrites() {
        for (rule, before, after) in [
            (
                "SR631",
                "import yaml\nyaml.load(open('f'))\n",
                "import yaml\nyaml.safe_load(open('f'))\n",
            ),
            (
                "SR201",
                "import subprocess\nsubprocess.run('ls -la /tmp', shell=True, check=True)\n",
                "import subprocess\nsubprocess.run([\"ls\", \"-la\", \"/tmp\"], check=True)\n",
            ),
            (
                "SR314",
                "import tempfile\np = tempfile.mktemp(suffix='.x')\n",
                "import tempfile\np = tempfile.mkstemp(suffix='.x')[1]\n",
            ),
            (
                "SR611",
                "import requests\nrequests.get('https://x.y', verify=False, timeout=3)\n",
                "import requests\nrequests.get('https://x.y', timeout=3)\n",
            ),
            (
                "SR414",
                "import re\nAPI_KEY = \"sk_live_4eC39HqLyjWDarjtT1zdp7dc\"\n",
                "import os\nimport re\nAPI_KEY = os.environ[\"API_KEY\"]\n",
            ),
        ] {
            assert_eq!(rewritten(before, rule).as_deref(), Some(after), "{before}");
        }
    }

    #[test]
    fn what_is_not_certain_is_left_alone() {
        for (rule, source) in [
            (
                "SR631",
                "import yaml\nyaml.load(open('f'), yaml.CUnsafeLoader)\n",
            ),
            ("SR631", "from yaml import load\nload(open('f'))\n"),
            (
                "SR201",
                "import subprocess\nsubprocess.run('ls *.py', shell=True)\n",
            ),
            (
                "SR201",
                "import subprocess\nsubprocess.run('cd /tmp', shell=True)\n",
            ),
            (
                "SR201",
                "import subprocess\nsubprocess.run('a \"b c\"', shell=True)\n",
            ),
        ] {
            assert_eq!(rewritten(source, rule), None, "{source}");
        }
    }

    #[test]
    fn a_rewrite_ends_its_finding() {
        let source = "import yaml\nyaml.load(open('f'))\n";
        let after = rewritten(source, "SR631").unwrap();
        let report = scan(&after, &Options::default());
        assert!(
            report
                .findings
                .iter()
                .all(|finding| finding.rule != "SR631")
        );
    }
}
