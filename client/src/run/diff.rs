//! What a run would have changed, as text: a summary for a person, a unified diff for `--diff`. Every name and every
//! line comes from the sandbox and is made harmless. Pure but for the clock.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{Change, ChangeKind, Effects, EntryState, EntryType, Place};

use super::{lines::Lines, workspace::Original};
use crate::{ui::one_line, units::show_bytes};

/// Larger files are summarised, in bytes: what nobody reads need not be compared line by line.
const LARGEST: usize = 2 * 1024 * 1024;
/// Longest time for all comparisons of one diff; what is left then is summarised.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was sent, by path below the workspace: the other side of each comparison.
pub(crate) type Originals = BTreeMap<String, Original>;

/// The whole unified diff; empty if nothing changed.
pub(crate) fn unified(effects: &Effects, originals: &Originals) -> String {
    let until = Instant::now() + PATIENCE;
    let mut out = String::new();
    // Writing to a String does not fail, here and below.
    for change in &effects.changes {
        let Some((before, after)) = texts(change, originals) else {
            let _ = writeln!(out, "{}", summary(change));
            continue;
        };
        if let Some(lines) = Lines::compare(&before, &after, Some(until)) {
            text(change, &lines, &mut out);
        } else {
            let summary = summary(change);
            let _ = writeln!(
                out,
                "{summary}: too many lines, or too different, to be compared"
            );
        }
    }
    for note in &effects.notes {
        let _ = writeln!(out, "# {}", one_line(note));
    }
    out
}

/// One line about one change.
pub(crate) fn summary(change: &Change) -> String {
    let path = shown(change);
    let what = match change.kind {
        ChangeKind::Created => "created",
        ChangeKind::Modified => "modified",
        ChangeKind::Deleted => "deleted",
    };
    let state = change.after.as_ref().or(change.before.as_ref());
    let detail = match (&change.before, &change.after) {
        (Some(before), Some(after))
            if before.kind == after.kind && before.sha256 == after.sha256 =>
        {
            format!("mode {:o} to {:o}", before.mode, after.mode)
        }
        (Some(before), Some(after)) if after.kind == EntryType::File => {
            format!("{} to {}", show_bytes(before.size), show_bytes(after.size))
        }
        _ => state.map_or_else(String::new, described),
    };
    format!("{what} {path} ({detail})")
}

/// The path with its place, harmless.
pub(crate) fn shown(change: &Change) -> String {
    match change.place {
        Place::Home => format!("~/{}", one_line(&change.path)),
        _ => one_line(&change.path),
    }
}

fn described(state: &EntryState) -> String {
    match state.kind {
        EntryType::File => show_bytes(state.size),
        EntryType::Folder => "folder".to_owned(),
        EntryType::Symlink => format!(
            "link to {}",
            one_line(state.target.as_deref().unwrap_or("an unknown place"))
        ),
        EntryType::Fifo => "FIFO".to_owned(),
        EntryType::Socket => "socket".to_owned(),
        _ => "device".to_owned(),
    }
}

/// Both sides as text, if both are known and are text.
pub(crate) fn texts(change: &Change, originals: &Originals) -> Option<(String, String)> {
    let content_changed = match (&change.before, &change.after) {
        (Some(before), Some(after)) => before.sha256 != after.sha256,
        _ => true,
    };
    let plain = |state: &Option<EntryState>| {
        state
            .as_ref()
            .is_none_or(|state| state.kind == EntryType::File)
    };
    if change.place != Place::Workspace
        || !content_changed
        || !plain(&change.before)
        || !plain(&change.after)
    {
        return None;
    }
    let before = match change.before {
        Some(_) => originals.get(&change.path)?.bytes.clone(),
        None => Vec::new(),
    };
    let after = match change.after {
        Some(_) => STANDARD.decode(change.content_base64.as_ref()?).ok()?,
        None => Vec::new(),
    };
    let text = |bytes: Vec<u8>| {
        let readable = bytes.len() <= LARGEST && !bytes.contains(&0);
        readable.then(|| String::from_utf8(bytes).ok()).flatten()
    };
    Some((text(before)?, text(after)?))
}

fn text(change: &Change, lines: &Lines, out: &mut String) {
    let path = shown(change);
    let side = |letter: char, state: &Option<EntryState>| match state {
        Some(_) => format!("{letter}/{path}"),
        None => "/dev/null".to_owned(),
    };
    let _ = writeln!(
        out,
        "--- {}\n+++ {}",
        side('a', &change.before),
        side('b', &change.after)
    );
    for hunk in lines.hunks() {
        out.push_str(&lines.shown(&hunk));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, kind: ChangeKind, before: Option<&str>, after: Option<&[u8]>) -> Change {
        let mut change = Change::new(Place::Workspace, path.to_owned(), kind);
        let state = |bytes: &[u8]| {
            let mut state = EntryState::new(EntryType::File, 0o644, bytes.len() as u64);
            state.sha256 = Some(STANDARD.encode(bytes));
            state
        };
        change.before = before.map(|text| state(text.as_bytes()));
        change.after = after.map(state);
        change.content_base64 = after.map(|bytes| STANDARD.encode(bytes));
        change
    }

    #[test]
    fn text_is_compared_and_the_rest_summarised() {
        let original = |text: &str| Original {
            bytes: text.as_bytes().to_vec(),
            executable: false,
        };
        let originals = Originals::from([
            ("a.txt".to_owned(), original("1\n2\n3\n")),
            ("gone".to_owned(), original("bye\n")),
        ]);
        let mut effects = Effects::default();
        let mut link = change("l", ChangeKind::Created, None, None);
        let mut state = EntryState::new(EntryType::Symlink, 0o777, 0);
        state.target = Some("/etc/\x1b[2Jpasswd".to_owned());
        link.after = Some(state);
        let mut home = change(".bashrc", ChangeKind::Modified, Some("a"), Some(b"ab"));
        home.place = Place::Home;
        effects.changes = vec![
            change(
                "a.txt",
                ChangeKind::Modified,
                Some("1\n2\n3\n"),
                Some(b"1\nt\two\x1b[31m\n3"),
            ),
            change("bin", ChangeKind::Created, None, Some(b"\0\x01")),
            change("gone", ChangeKind::Deleted, Some("bye\n"), None),
            link,
            home,
        ];
        effects.notes = vec!["a\nnote".to_owned()];
        assert_eq!(
            unified(&effects, &originals),
            "--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n 1\n-2\n-3\n+t\two\\x1b[31m\n+3\n\\ No newline at end of file\n\
             created bin (2 B)\n\
             --- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-bye\n\
             created l (link to /etc/\\x1b[2Jpasswd)\n\
             modified ~/.bashrc (1 B to 2 B)\n\
             # a\\nnote\n"
        );
    }

    #[test]
    fn a_text_of_too_many_lines_is_summarised() {
        let mut effects = Effects::default();
        let many = "x\n".repeat(100_000);
        effects.changes = vec![change(
            "big",
            ChangeKind::Created,
            None,
            Some(many.as_bytes()),
        )];
        assert_eq!(
            unified(&effects, &Originals::new()),
            "created big (195 KiB): too many lines, or too different, to be compared\n"
        );
    }
}
