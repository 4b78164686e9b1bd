//! The daemon's log: its last lines, and what is added to it.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    time::Duration,
};

use crate::ui;

/// How much of the end is read to find the last lines.
const TAIL: u64 = 256 * 1024;

/// The last `count` lines, of what stands after byte `from`.
pub(crate) fn last_lines(path: &Path, count: usize, from: u64) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(
        length.saturating_sub(TAIL).max(from.min(length)),
    ))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().map(ui::one_line).collect();
    Ok(lines[lines.len().saturating_sub(count)..].to_vec())
}

/// Prints what is added to the log, until the process is ended.
pub(crate) async fn follow(path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut at = file.seek(SeekFrom::End(0))?;
    let mut sanitiser = ui::Sanitiser::default();
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        if std::fs::metadata(path)?.len() < at {
            at = 0;
            file = File::open(path)?;
        }
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        at += (&mut file).take(TAIL).read_to_end(&mut bytes)? as u64;
        if !bytes.is_empty() {
            ui::out(sanitiser.push(&bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, "one\ntwo\nthree \x1b[2J\n").unwrap();
        assert_eq!(last_lines(&path, 2, 0).unwrap(), ["two", "three \\x1b[2J"]);
        assert_eq!(last_lines(&path, 9, 8).unwrap(), ["three \\x1b[2J"]);
        assert!(last_lines(&path, 9, 999).unwrap().is_empty());
    }
}
