//! Markdown as models answer: the fenced Python blocks are scanned together on lines of their own, so that line
//! numbers are those of the Markdown file.

use super::positions::{Lines, relocate};
use super::{FileReport, SourceKind, document};
use crate::{Options, Position, Report};

/// A fenced block of code.
struct Block {
    /// First line of the code, from 0.
    first: usize,
    /// Line after the code.
    end: usize,
    /// Prompts (`>>>`) are to be taken away.
    session: bool,
}

/// Scans a Markdown text.
pub(super) fn scan(text: &str, options: &Options) -> FileReport {
    let lines: Vec<&str> = text.split('\n').collect();
    let blocks = blocks(&lines);
    let mut shifts = vec![0_u32; lines.len()];
    let mut whole: Vec<String> = vec![String::new(); lines.len()];
    for block in &blocks {
        place(block, &lines, &mut whole, &mut shifts);
    }
    let joined = whole.join("\n");
    let mut report = crate::scan(&joined, options);
    document::add_python2(&mut report, &joined);
    if blocks.len() > 1
        && report
            .findings
            .iter()
            .any(|finding| finding.name.contains("syntax"))
    {
        for block in &blocks {
            alone(block, &whole, options, &mut report);
        }
    }
    move_back(&mut report, &shifts, text);
    if !blocks.is_empty() {
        document::add_secrets(&mut report, text);
    }
    let mut notes = Vec::new();
    if blocks.is_empty() {
        notes.push("there is no fenced Python block in this file".to_owned());
    }
    FileReport {
        name: String::new(),
        kind: SourceKind::Markdown,
        encoding: String::new(),
        notes,
        report,
        texts: vec![text.to_owned()],
        blocks: blocks.len(),
    }
}

/// Whether a text without a telling name is Markdown: it has a fence, and does not begin as code.
pub(super) fn looks_like(text: &str) -> bool {
    let mut fences = 0;
    for line in text.lines() {
        let line = line.trim_start();
        if fences == 0
            && (line.starts_with("import ")
                || line.starts_with("from ")
                || line.starts_with("def "))
        {
            return false;
        }
        if let Some(info) = line
            .strip_prefix("```")
            .or_else(|| line.strip_prefix("~~~"))
        {
            if fences == 0 && info.contains(['"', '\'', '(']) {
                return false;
            }
            fences += 1;
        }
    }
    fences > 0
}

/// The text of a line behind quote marks, and the bytes that they take.
fn unquoted(line: &str) -> (usize, &str) {
    let mut rest = line;
    while let Some(inner) = rest.trim_start().strip_prefix('>') {
        if rest.trim_start().starts_with(">>>") {
            break;
        }
        rest = inner.strip_prefix(' ').unwrap_or(inner);
    }
    (line.len() - rest.len(), rest)
}

fn fence(line: &str) -> Option<(char, usize, &str)> {
    let (_, rest) = unquoted(line);
    let mut rest = rest.trim_start();
    // a fence may open right behind a list marker
    for marker in ["- ", "* ", "+ "] {
        rest = rest.strip_prefix(marker).map_or(rest, str::trim_start);
    }
    let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    if digits.len() < rest.len()
        && let Some(item) = digits
            .strip_prefix(". ")
            .or_else(|| digits.strip_prefix(") "))
    {
        rest = item.trim_start();
    }
    let mark = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = rest.chars().take_while(|c| *c == mark).count();
    let info = rest[length..].trim();
    (length >= 3 && !(mark == '`' && info.contains('`'))).then_some((mark, length, info))
}

fn blocks(lines: &[&str]) -> Vec<Block> {
    let mut result = Vec::new();
    let mut open: Option<(usize, char, usize, String)> = None;
    for (index, line) in lines.iter().enumerate() {
        let Some((mark, length, info)) = fence(line) else {
            continue;
        };
        match &open {
            None => open = Some((index + 1, mark, length, info.to_owned())),
            Some((first, kind, least, language))
                if mark == *kind && length >= *least && info.is_empty() =>
            {
                result.extend(block(lines, *first, index, language));
                open = None;
            }
            Some(_) => {}
        }
    }
    // models are cut off in the middle of a block
    if let Some((first, _, _, language)) = open {
        result.extend(block(lines, first, lines.len(), &language));
    }
    result
}

fn block(lines: &[&str], first: usize, end: usize, info: &str) -> Option<Block> {
    let language: String = info
        .trim_start_matches(['{', '.', ' '])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '.'))
        .collect::<String>()
        .to_ascii_lowercase();
    let code: Vec<&str> = lines[first..end]
        .iter()
        .map(|line| unquoted(line).1)
        .collect();
    let session = code
        .iter()
        .any(|line| line.trim_start().starts_with(">>> "));
    let python = match language.as_str() {
        "python" | "py" | "python3" | "py3" | "python2" | "ipython" | "ipython3" | "pycon"
        | "doctest" | "sage" | "python-repl" | "pyodide" | "cython" | "jupyter" | "tool_code"
        | "python3.11" | "python3.12" => true,
        "" | "text" | "txt" | "code" | "plaintext" => session || looks_like_python(&code),
        _ => false,
    };
    (python && end > first).then_some(Block {
        first,
        end,
        session,
    })
}

/// Whether lines without a language are Python: they say so by their statements.
fn looks_like_python(lines: &[&str]) -> bool {
    let mut score = 0_i32;
    for line in lines {
        let text = line.trim();
        let statement = [
            "import ",
            "from ",
            "def ",
            "class ",
            "async def ",
            "with ",
            "elif ",
            "except",
            "return ",
            "print(",
            "try:",
            "@",
        ]
        .iter()
        .any(|start| text.starts_with(start));
        let header = text.ends_with(':')
            && ["if ", "for ", "while ", "else"]
                .iter()
                .any(|s| text.starts_with(s));
        let call = text.ends_with(')')
            && text.contains('(')
            && !text.contains("://")
            && !text.starts_with(['$', '#', '-']);
        if statement || header {
            score += 2;
        } else if call {
            score += 1;
        }
        if text.starts_with("$ ")
            || text.ends_with(';')
            || text.ends_with('{')
            || text.starts_with("//")
        {
            score -= 2;
        }
    }
    score > 0
}

/// Puts a block's code on its lines, without the indentation that all of it shares.
fn place(block: &Block, lines: &[&str], whole: &mut [String], shifts: &mut [u32]) {
    let code: Vec<(usize, &str)> = lines[block.first..block.end]
        .iter()
        .map(|line| unquoted(line))
        .collect();
    let indent = code
        .iter()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(_, line)| line.len() - line.trim_start_matches([' ', '\t']).len())
        .min()
        .unwrap_or(0);
    for (offset, (quoted, line)) in code.iter().enumerate() {
        let at = block.first + offset;
        let mut cut = indent.min(line.len());
        let mut text = &line[cut..];
        if block.session {
            let inner = text.trim_start();
            let prompt = inner
                .strip_prefix(">>>")
                .or_else(|| inner.strip_prefix("..."));
            let Some(rest) = prompt else { continue };
            let rest = rest.strip_prefix(' ').unwrap_or(rest);
            cut += text.len() - rest.len();
            text = rest;
        }
        text.clone_into(&mut whole[at]);
        shifts[at] = u32::try_from(quoted + cut).unwrap_or(0);
    }
}

/// A block that breaks the syntax must not hide the others.
fn alone(block: &Block, whole: &[String], options: &Options, report: &mut Report) {
    let mut lines = vec![""; block.first];
    lines.extend(whole[block.first..block.end].iter().map(String::as_str));
    let single = crate::scan(&lines.join("\n"), options);
    for finding in single.findings {
        let known = report
            .findings
            .iter()
            .any(|other| other.rule == finding.rule && other.range.start == finding.range.start);
        if !known {
            report.findings.push(finding);
        }
    }
    report.incomplete |= single.incomplete;
}

fn move_back(report: &mut Report, shifts: &[u32], text: &str) {
    relocate(report, |position| {
        let shift = shifts
            .get(position.line.saturating_sub(1) as usize)
            .copied()
            .unwrap_or(0);
        (
            Position {
                column: position.column + shift,
                ..position
            },
            None,
        )
    });
    let lines = Lines::new(text);
    let suppressed = report
        .suppressed
        .iter_mut()
        .map(|suppressed| &mut suppressed.finding);
    for finding in report.findings.iter_mut().chain(suppressed) {
        finding.bytes = (
            lines.offset(finding.range.start),
            lines.offset(finding.range.end),
        );
    }
}
