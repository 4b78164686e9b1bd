//! The files that are measured, read into memory once.

use std::path::{Path, PathBuf};

/// A file with its text.
pub(crate) struct Text {
    pub(crate) text: String,
}

fn python_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(next) = pending.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// All Python files of a folder that are UTF-8.
pub(crate) fn read(folder: &str) -> Vec<Text> {
    python_files(Path::new(folder))
        .into_iter()
        .filter_map(|path| {
            Some(Text {
                text: std::fs::read_to_string(path).ok()?,
            })
        })
        .collect()
}

/// Bytes of all texts.
pub(crate) fn bytes(texts: &[Text]) -> usize {
    texts.iter().map(|one| one.text.len()).sum()
}

/// A text of about this many lines, put together of whole files.
pub(crate) fn lines(texts: &[Text], wanted: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    // Files of usual size: a table of constants is no code.
    for one in texts
        .iter()
        .filter(|one| one.text.is_ascii() && one.text.len() > 4_000)
    {
        for line in one.text.lines() {
            if count == wanted {
                return out;
            }
            out.push_str(line);
            out.push('\n');
            count += 1;
        }
    }
    out
}
