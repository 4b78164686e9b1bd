//! Which changes are to be applied: all, by pattern, by hunk, or asked for one by one. Pure but for the question.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ignore::gitignore::GitignoreBuilder;
use saferun_protocol::{Change, ChangeKind, Effects, EntryState, EntryType, Place};

use super::{
    danger::{self, Danger},
    folder::hash,
    hunks::Hunks,
};
use crate::{failure::Failure, run::Originals, ui::one_line};

/// What the command line says.
#[derive(Debug, Default, Clone)]
pub(crate) struct Choice {
    /// Patterns as in .gitignore.
    pub(crate) patterns: Vec<String>,
    /// Hunks of files, from 1.
    pub(crate) hunks: Vec<(String, usize)>,
}

/// What must stand at a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Before {
    Absent,
    Folder,
    File { sha256: String },
}

/// What is to stand there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    Gone,
    Folder,
    File {
        content: Vec<u8>,
        /// Absent where it is to be as it was.
        executable: Option<bool>,
    },
}

/// One path that is to become another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) path: String,
    pub(super) before: Before,
    pub(super) after: After,
}

/// What was chosen.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) wanted: Vec<Wanted>,
    /// What was not, though a pattern names it, in sentences.
    pub(super) left_out: Vec<String>,
}

/// Answers which hunks of a file are wanted; `None` ends the questions.
pub(super) type Ask<'a> = dyn FnMut(&Change, Option<&Hunks>) -> Option<Picked> + 'a;

/// Which part of a change is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Picked {
    All,
    Nothing,
    Hunks(BTreeSet<usize>),
}

/// The changes that are wanted. A change that can only be told, such as a link, refuses the set.
pub(super) fn choose(
    effects: &Effects,
    originals: &Originals,
    choice: &Choice,
    ask: Option<&mut Ask<'_>>,
) -> Result<Chosen, Failure> {
    let was_asked = ask.is_some();
    let mut seen = BTreeSet::new();
    if let Some(twice) = changes(effects).find(|change| !seen.insert(change.path.as_str())) {
        return Err(Failure::failed(
            format!(
                "the list of changes names {} twice: nothing was applied",
                one_line(&twice.path)
            ),
            "the sandbox was not sound; run again",
        ));
    }
    let mut picked = match ask {
        Some(ask) => asked(effects, originals, ask),
        None => named(effects, choice)?,
    };
    let left_out = leave_out(&mut picked, choice, was_asked)?;
    let mut wanted = Vec::new();
    for change in changes(effects) {
        let one = match picked.remove(change.path.as_str()) {
            None | Some(Picked::Nothing) => continue,
            Some(Picked::All) => whole(change, originals),
            Some(Picked::Hunks(chosen)) => part(change, originals, &chosen),
        };
        wanted.push(one.map_err(|why| {
            Failure::usage(
                format!(
                    "{} cannot be applied: {why}; nothing was applied",
                    one_line(&change.path)
                ),
                "choose what to apply: --apply=PATTERN, or --patch to be asked",
            )
        })?);
    }
    Ok(Chosen { wanted, left_out })
}

/// Takes away what runs by itself and was not meant; says so, in sentences.
fn leave_out(
    picked: &mut BTreeMap<&str, Picked>,
    choice: &Choice,
    was_asked: bool,
) -> Result<Vec<String>, Failure> {
    picked.retain(|_, part| *part != Picked::Nothing);
    let all: Vec<&str> = picked.keys().copied().collect();
    let by_name = |path: &str| {
        let patterns = choice.patterns.iter();
        patterns
            .map(|pattern| pattern.trim_start_matches('/'))
            .any(|pattern| pattern == path)
            || choice.hunks.iter().any(|(hunk, _)| hunk == path)
    };
    let mut notes = Vec::new();
    for path in &all {
        let shown = one_line(path);
        match danger::of(path, all.iter().copied()) {
            Some(Danger::Never) if by_name(path) => {
                return Err(Failure::usage(
                    format!("{shown} is version control's own, or SafeRun's: such files are never applied"),
                    "look at it with --diff, and write it yourself if you want it",
                ));
            }
            Some(Danger::Never) => notes.push(format!(
                "{shown} was left out: it is version control's own, or SafeRun's, and never applied"
            )),
            Some(Danger::Runs) if !was_asked && !by_name(path) => notes.push(format!(
                "{shown} was left out: such files run by themselves; if you want it: --apply={shown}"
            )),
            Some(Danger::Deceives) if !was_asked && !by_name(path) => notes.push(format!(
                "{shown} was left out: its name acts on a terminal, or is not what it looks like; --patch asks for it"
            )),
            _ => continue,
        }
        picked.remove(path);
    }
    Ok(notes)
}

fn changes(effects: &Effects) -> impl Iterator<Item = &Change> {
    let changes = effects.changes.iter();
    changes.filter(|change| change.place == Place::Workspace)
}

fn asked<'a>(
    effects: &'a Effects,
    originals: &Originals,
    ask: &mut Ask<'_>,
) -> BTreeMap<&'a str, Picked> {
    let mut picked = BTreeMap::new();
    for change in changes(effects) {
        let hunks = Hunks::of(change, originals);
        let Some(answer) = ask(change, hunks.as_ref()) else {
            break;
        };
        picked.insert(change.path.as_str(), answer);
    }
    picked
}

fn named<'a>(effects: &'a Effects, choice: &Choice) -> Result<BTreeMap<&'a str, Picked>, Failure> {
    let mut picked: BTreeMap<&str, Picked> = BTreeMap::new();
    for pattern in &choice.patterns {
        let mut found = false;
        let advice = || format!("see what changed with --diff; {pattern} is read as in .gitignore");
        let mut builder = GitignoreBuilder::new("/");
        let matcher = builder
            .add_line(None, pattern)
            .and_then(|builder| builder.build())
            .map_err(|error| Failure::usage(format!("--apply={pattern}: {error}"), advice()))?;
        for change in changes(effects) {
            let path = std::path::Path::new("/").join(&change.path);
            if matcher.matched_path_or_any_parents(path, false).is_ignore() {
                found = true;
                picked.insert(&change.path, Picked::All);
            }
        }
        // `*` stands for all, which may be none.
        if !found && pattern != "*" {
            let message = format!("--apply={pattern} matches nothing that changed");
            return Err(Failure::usage(message, advice()));
        }
    }
    for (path, hunk) in &choice.hunks {
        let Some(change) = changes(effects).find(|change| change.path == *path) else {
            return Err(Failure::usage(
                format!("--apply-hunk {path}:{hunk}: {path} was not changed"),
                "see what changed with --diff",
            ));
        };
        match picked
            .entry(&change.path)
            .or_insert_with(|| Picked::Hunks(BTreeSet::new()))
        {
            Picked::Hunks(chosen) => {
                chosen.insert(*hunk);
            }
            Picked::All | Picked::Nothing => {}
        }
    }
    Ok(picked)
}

fn whole(change: &Change, originals: &Originals) -> Result<Wanted, String> {
    let before = match (&change.before, change.kind) {
        (None, ChangeKind::Created) => Before::Absent,
        (Some(state), _) if state.kind == EntryType::Folder => Before::Folder,
        (Some(state), _) if state.kind == EntryType::File => sent(change, originals)?,
        _ => return Err("what was there before is neither a file nor a folder".into()),
    };
    let after = match (&change.after, change.kind) {
        (None, ChangeKind::Deleted) => After::Gone,
        (Some(state), _) if state.kind == EntryType::Folder => After::Folder,
        (Some(state), _) if state.kind == EntryType::File => After::File {
            content: content(change)?,
            executable: executable(change.before.as_ref(), state),
        },
        _ => return Err("it became a link or a special file, which are never made".into()),
    };
    match (&before, &after) {
        (Before::Folder, After::File { .. }) | (Before::File { .. }, After::Folder) => {
            return Err("a file and a folder would change places".into());
        }
        _ => {}
    }
    let path = change.path.clone();
    Ok(Wanted {
        path,
        before,
        after,
    })
}

fn part(
    change: &Change,
    originals: &Originals,
    chosen: &BTreeSet<usize>,
) -> Result<Wanted, String> {
    let hunks = Hunks::of(change, originals)
        .ok_or("it has no hunks: it is no text, was not sent, or has too many lines")?;
    let count = hunks.count();
    if let Some(beyond) = chosen.iter().find(|hunk| **hunk == 0 || **hunk > count) {
        return Err(format!(
            "it has no hunk {beyond}: they go from 1 to {count}"
        ));
    }
    if chosen.len() == count {
        return whole(change, originals);
    }
    // Hunks of one file only leave something out where there is a text on both sides.
    let executable = None;
    Ok(Wanted {
        path: change.path.clone(),
        before: sent(change, originals)?,
        after: After::File {
            content: hunks.applied(chosen).into_bytes(),
            executable,
        },
    })
}

/// The content that was sent: what the real file must still hold.
fn sent(change: &Change, originals: &Originals) -> Result<Before, String> {
    let original = originals
        .get(&change.path)
        .ok_or("it was not sent from this folder")?;
    let sha256 = hash(&original.bytes);
    Ok(Before::File { sha256 })
}

fn content(change: &Change) -> Result<Vec<u8>, String> {
    let after = change.after.as_ref().and_then(|after| after.sha256.clone());
    let content = change
        .content_base64
        .as_ref()
        .ok_or("its content did not come back: it is over limits.artifacts")?;
    let content = STANDARD
        .decode(content)
        .map_err(|error| error.to_string())?;
    if after != Some(hash(&content)) {
        return Err("its content is not what its hash says".into());
    }
    Ok(content)
}

fn executable(before: Option<&EntryState>, after: &EntryState) -> Option<bool> {
    let can = |state: &EntryState| state.mode & 0o100 != 0;
    match before {
        Some(before) if can(before) == can(after) => None,
        None if !can(after) => None,
        _ => Some(can(after)),
    }
}
