//! `IPython` magics: what is shell text is taken out for the shell judge, what is Python stays in its place.
//! The number of lines and the columns of Python code do not change.

use crate::shell::HOLE;

/// A cell after its magics were taken out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// Python with as many lines as the cell.
    pub python: String,
    /// Shell texts with their spans in the cell.
    pub shell: Vec<Shell>,
    /// Language of a cell that is not Python, such as `perl`.
    pub foreign: Option<String>,
}

/// A shell text in a cell.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shell {
    /// The text, with interpolated values as holes.
    pub text: String,
    /// Its first byte in the cell.
    pub start: usize,
    /// The byte after it.
    pub end: usize,
}

/// Cell magics whose body is Python.
const PYTHON_BODY: [&str; 11] = [
    "time", "timeit", "capture", "prun", "python", "python3", "pypy", "cython", "memit", "mprun",
    "debug",
];

/// Line magics that are commands of the system.
const COMMANDS: [&str; 19] = [
    "pip", "conda", "mamba", "uv", "rm", "mv", "cp", "ls", "ll", "cat", "mkdir", "rmdir", "man",
    "less", "more", "sx", "system", "sc", "git",
];

/// Takes the magics out of a cell.
pub(super) fn split(source: &str) -> Cell {
    let mut cell = Cell::default();
    let first = source
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    if let Some(magic) = first.trim_start().strip_prefix("%%")
        && !cell_magic(magic, source, &mut cell)
    {
        return cell;
    }
    let mut lines = source.split_inclusive('\n').peekable();
    let mut at = 0;
    while let Some(line) = lines.next() {
        let start = at;
        at += line.len();
        let Some(text) = shell_line(line) else {
            cell.python.push_str(&python_line(line));
            continue;
        };
        let mut text = text.to_owned();
        let mut breaks = usize::from(line.ends_with('\n'));
        while text.trim_end().ends_with('\\') {
            let Some(next) = lines.next() else { break };
            text.push('\n');
            text.push_str(next.trim_end_matches(['\n', '\r']));
            at += next.len();
            breaks += usize::from(next.ends_with('\n'));
        }
        cell.python.push_str(&replacement(line));
        for _ in 0..breaks {
            cell.python.push('\n');
        }
        let end = start + source[start..at].trim_end().len();
        cell.shell.push(Shell {
            text: interpolated(text.trim_end()),
            start,
            end,
        });
    }
    cell
}

/// Handles `%%magic`; whether the body is to be read as Python.
fn cell_magic(magic: &str, source: &str, cell: &mut Cell) -> bool {
    let name = magic.split([' ', '\t']).next().unwrap_or_default().trim();
    let program = if name == "script" {
        magic
            .split_whitespace()
            .find(|word| *word != "script" && !word.starts_with('-'))
            .unwrap_or_default()
    } else {
        name
    };
    if PYTHON_BODY.contains(&program) {
        return true;
    }
    let head = source.find("%%").unwrap_or(0);
    let body = source[head..]
        .find('\n')
        .map_or(source.len(), |at| head + at + 1);
    cell.python = "\n".repeat(source.matches('\n').count());
    match program {
        "bash" | "sh" | "system" | "sx" | "!" | "zsh" | "cmd" => {
            let text = format!("{}\n{}", magic_arguments(magic, name), &source[body..]);
            cell.shell.push(Shell {
                text: text.trim_start().to_owned(),
                start: head,
                end: source.trim_end().len().max(head),
            });
        }
        "writefile" | "file" => {
            let path = magic.split_whitespace().last().unwrap_or_default();
            let extension = path.rsplit('.').next().unwrap_or_default();
            let text = format!(": > {path}");
            cell.shell.push(Shell {
                text,
                start: head,
                end: body.saturating_sub(1).max(head),
            });
            if extension == "py" {
                cell.python = format!(
                    "{}{}",
                    "\n".repeat(source[..body].matches('\n').count()),
                    &source[body..]
                );
            } else if extension == "sh" {
                cell.shell.push(Shell {
                    text: source[body..].to_owned(),
                    start: body,
                    end: source.len(),
                });
            }
        }
        "html" | "markdown" | "latex" | "svg" | "sql" | "cache" => {}
        other => cell.foreign = Some(other.to_owned()),
    }
    false
}

fn magic_arguments<'a>(magic: &'a str, name: &str) -> &'a str {
    if matches!(name, "!" | "sx" | "system") {
        magic.trim_start_matches(name).trim()
    } else {
        ""
    }
}

/// The shell text of a line, if it is a shell magic.
fn shell_line(line: &str) -> Option<&str> {
    let text = line.trim();
    if let Some(command) = text.strip_prefix('!') {
        return (!command.starts_with('=')).then(|| command.trim_start_matches('!'));
    }
    if let Some(magic) = text.strip_prefix('%') {
        let name = magic.split([' ', '\t']).next().unwrap_or_default();
        if !COMMANDS.contains(&name) {
            return None;
        }
        return Some(if matches!(name, "sx" | "system" | "sc") {
            magic[name.len()..].trim()
        } else {
            magic
        });
    }
    // `files = !ls`
    let (target, value) = text.split_once('=')?;
    let plain = target
        .trim()
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | ',' | ' '));
    let value = value.trim_start();
    if !plain || target.trim().is_empty() {
        return None;
    }
    if let Some(command) = value.strip_prefix('!') {
        return (!command.starts_with('=')).then_some(command);
    }
    value
        .strip_prefix("%sx ")
        .or_else(|| value.strip_prefix("%system "))
}

/// What stands in the Python text for a shell line: nothing that has an effect, with the same indentation.
fn replacement(line: &str) -> String {
    let indent: String = line
        .chars()
        .take_while(|c| matches!(c, ' ' | '\t'))
        .collect();
    match line.split_once('=') {
        Some((target, _)) if !line.trim_start().starts_with(['!', '%']) => {
            format!("{indent}{} = __shell__", target.trim())
        }
        _ => format!("{indent}pass"),
    }
}

/// A line without its Python magic: `%time f()` keeps `f()` at its column.
fn python_line(line: &str) -> String {
    let text = line.trim_start();
    let indent = &line[..line.len() - text.len()];
    let end = &line[line.trim_end().len()..];
    if text.starts_with('?')
        || text.trim_end().ends_with('?') && !text.contains(['"', '\'', '#', '('])
    {
        return format!("{indent}pass{end}");
    }
    let Some(magic) = text.strip_prefix('%') else {
        return line.to_owned();
    };
    let magic = magic.trim_start_matches('%');
    if !magic.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return line.to_owned();
    }
    let name = magic.split_whitespace().next().unwrap_or_default();
    if PYTHON_BODY.contains(&name) {
        let rest = magic[name.len()..].trim_end();
        if !rest.trim_start().starts_with('-') && !rest.trim().is_empty() {
            // the statement moves to the left: its column is less exact than its line
            return format!("{indent}{}{end}", rest.trim_start());
        }
    }
    format!("{indent}pass{end}")
}

/// `{name}` and `$name` stand for Python values.
fn interpolated(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let inner = &rest[open + 1..];
        let Some(close) = inner.find('}') else { break };
        let name = &inner[..close];
        let value = !name.is_empty()
            && !name.contains(',')
            && !rest[..open].ends_with('$')
            && name
                .chars()
                .next()
                .is_some_and(|c| c.is_alphabetic() || c == '_');
        out.push_str(&rest[..open]);
        if value {
            out.push(HOLE);
        } else {
            out.push_str(&rest[open..open + close + 2]);
        }
        rest = &inner[close + 1..];
    }
    out.push_str(rest);
    out
}
