//! From bytes to findings: decodes as Python would, takes the code out of notebooks and Markdown, scans it, and maps
//! every position back to the original file. It reads no files itself.

mod codecs;
mod decode;
mod document;
mod magic;
mod markdown;
mod notebook;
mod positions;
mod python2;
mod rules;

use crate::{Finding, Level, Options, Report};

pub(crate) use rules::RULES;

/// The Python of a notebook's cell, with as many lines: what is meant for magics or a shell does nothing in it.
#[must_use]
pub fn python_of_cell(source: &str) -> String {
    magic::split(source).python
}

pub use decode::{Decoded, Note, NoteKind, decode_source};

/// Endings, in lower case, of the files that are scanned when a whole folder is.
pub const ENDINGS: [&str; 8] = ["py", "pyw", "pyi", "ipynb", "md", "markdown", "qmd", "wsgi"];

/// What kind of file was scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// A Python module or script.
    Python,
    /// A Jupyter notebook; positions are lines of the cell that `Finding::cell` names.
    Notebook,
    /// Markdown with fenced code; positions are lines of the Markdown file.
    Markdown,
}

/// What the scan of one file found.
#[derive(Debug, Clone)]
pub struct FileReport {
    /// The name as it was given.
    pub name: String,
    /// How it was read.
    pub kind: SourceKind,
    /// The encoding that was used, in Python's spelling.
    pub encoding: String,
    /// What is to be said of the file besides its findings.
    pub notes: Vec<String>,
    /// Findings with positions in the original file.
    pub report: Report,
    /// The decoded text that positions refer to; for a notebook the text of each cell, from cell 1.
    pub texts: Vec<String>,
    /// How many pieces of code there were: 1 for a module, cells or blocks otherwise.
    pub blocks: usize,
}

impl FileReport {
    /// The highest level found.
    #[must_use]
    pub fn risk(&self) -> Level {
        self.report.risk()
    }

    /// The text that a finding's position refers to.
    #[must_use]
    pub fn text_of(&self, finding: &Finding) -> &str {
        let index = finding
            .cell
            .map_or(0, |cell| cell.saturating_sub(1) as usize);
        self.texts.get(index).map_or("", String::as_str)
    }
}

/// Scans the content of one file. The kind follows from the name, else from the content.
#[must_use]
pub fn scan_bytes(name: &str, bytes: &[u8], options: &Options) -> FileReport {
    let kind = kind_of(name, bytes);
    let decoded = if kind == SourceKind::Python {
        decode_source(bytes)
    } else {
        decode::plain(bytes)
    };
    let mut file = match kind {
        SourceKind::Python => python(&decoded.text, options),
        SourceKind::Notebook => notebook::scan(&decoded.text, options),
        SourceKind::Markdown => markdown::scan(&decoded.text, options),
    };
    name.clone_into(&mut file.name);
    file.encoding.clone_from(&decoded.encoding);
    for note in &decoded.notes {
        file.notes.push(note.message.clone());
        file.report.findings.extend(document::of_note(note));
    }
    file.report
        .findings
        .sort_by_key(|finding| (finding.cell, finding.range.start));
    file
}

/// The report of a file that the scanner has crashed on: it was not judged, and that is a finding at HIGH.
#[must_use]
pub fn crashed(name: &str, message: &str) -> FileReport {
    let lines = crate::locate::Lines::new("");
    let message = format!(
        "the scanner crashed on this file, which is a bug: nothing of it was judged ({message})"
    );
    let finding = crate::scan::at_place("SR003", (0, 0), &lines, Some(Level::High), Some(message));
    FileReport {
        name: name.to_owned(),
        kind: SourceKind::Python,
        encoding: String::new(),
        notes: Vec::new(),
        report: Report {
            findings: vec![finding],
            incomplete: true,
            ..Report::default()
        },
        texts: vec![String::new()],
        blocks: 1,
    }
}

fn python(text: &str, options: &Options) -> FileReport {
    let mut report = crate::scan(text, options);
    document::add_python2(&mut report, text);
    FileReport {
        name: String::new(),
        kind: SourceKind::Python,
        encoding: String::new(),
        notes: Vec::new(),
        report,
        texts: vec![text.to_owned()],
        blocks: 1,
    }
}

fn kind_of(name: &str, bytes: &[u8]) -> SourceKind {
    let lower = name.to_ascii_lowercase();
    let extension = lower
        .rsplit(['/', '\\'])
        .next()
        .and_then(|base| base.rsplit_once('.'));
    match extension.map(|(_, extension)| extension) {
        Some("ipynb") => return SourceKind::Notebook,
        Some("md" | "markdown" | "mdx" | "qmd" | "rmd") => return SourceKind::Markdown,
        Some("py" | "pyw" | "pyi" | "pyx" | "py3" | "wsgi") => return SourceKind::Python,
        _ => {}
    }
    let head = &bytes[..bytes.len().min(64 * 1024)];
    let start = head.iter().find(|byte| !byte.is_ascii_whitespace());
    if start == Some(&b'{') && contains(head, b"\"cells\"") && contains(bytes, b"\"nbformat\"") {
        return SourceKind::Notebook;
    }
    let text = String::from_utf8_lossy(head);
    if markdown::looks_like(&text) {
        SourceKind::Markdown
    } else {
        SourceKind::Python
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
