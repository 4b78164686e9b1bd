//! From what was chosen to steps on the real folder. Everything is checked before anything is touched: one thing that
//! cannot be done refuses the whole set.

use std::{collections::BTreeSet, io};

use serde::{Deserialize, Serialize};

use super::{
    choose::{After, Before, Wanted},
    folder::{Folder, State, hash},
};
use crate::ui::one_line;

/// One step: what stands at a path before and after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// Path below the folder.
    pub(super) path: String,
    /// What must stand there, or it is refused.
    pub(super) before: State,
    /// What stands there afterwards.
    pub(super) after: State,
    /// Permission bits of a folder that goes, to be made again with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) folder_mode: Option<u32>,
}

/// A step with the contents of both sides.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) step: Step,
    pub(super) old: Vec<u8>,
    pub(super) new: Vec<u8>,
}

/// What is to be done, in order, and what is not done, in sentences.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Prepared>,
    pub(super) notes: Vec<String>,
}

/// Checks what was chosen against the folder as it is now; the reasons why not, one for each path.
pub(super) fn plan(folder: &Folder, wanted: &[Wanted]) -> Result<Plan, Vec<String>> {
    let mut plan = Plan::default();
    let mut refused = Vec::new();
    let mut folders_made = BTreeSet::new();
    refuse_collisions(wanted, &mut refused);
    for one in wanted {
        match step(folder, one) {
            Ok(Some(prepared)) => {
                if prepared.step.after != State::Absent {
                    parents(folder, &one.path, &mut folders_made, &mut refused);
                }
                if prepared.step.after == State::Folder {
                    folders_made.insert(one.path.clone());
                } else {
                    plan.steps.push(prepared);
                }
            }
            Ok(None) => {}
            Err(why) => refused.push(format!("{}: {why}", one_line(&one.path))),
        }
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    plan.steps.extend(folders_made.into_iter().map(made));
    plan.steps.sort_by_key(order);
    keep_filled_folders(folder, &mut plan).map_err(|error| vec![error.to_string()])?;
    Ok(plan)
}

/// Two paths that a file system which ignores case holds for one, and a path below one that is to be a file: the list
/// came from a sandbox, and may contradict itself.
fn refuse_collisions(wanted: &[Wanted], refused: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    let files: BTreeSet<String> = wanted
        .iter()
        .filter(|one| matches!(one.after, After::File { .. }))
        .map(|one| one.path.to_lowercase())
        .collect();
    for one in wanted {
        let path = one.path.to_lowercase();
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        let below_a_file =
            one.after != After::Gone && above.into_iter().any(|above| files.contains(above));
        if below_a_file {
            refused.push(format!(
                "{}: it is below what is to be a file",
                one_line(&one.path)
            ));
        }
        if !seen.insert(path) {
            refused.push(format!(
                "{}: another path differs from it in case alone",
                one_line(&one.path)
            ));
        }
    }
}

fn made(path: String) -> Prepared {
    let step = Step {
        path,
        before: State::Absent,
        after: State::Folder,
        folder_mode: None,
    };
    Prepared {
        step,
        old: Vec::new(),
        new: Vec::new(),
    }
}

/// Folders are made before what is in them, and taken away after it.
fn order(prepared: &Prepared) -> (u8, isize, String) {
    let step = &prepared.step;
    let depth = step.path.split('/').count().cast_signed();
    let (phase, depth) = match (&step.before, &step.after) {
        (_, State::Folder) => (0, depth),
        (_, State::File { .. }) => (1, 0),
        (State::Folder, State::Absent) => (3, -depth),
        (_, State::Absent) => (2, 0),
    };
    (phase, depth, step.path.clone())
}

/// Folders above a path that are not there yet: an empty folder is no change of its own to those who choose by path.
fn parents(folder: &Folder, path: &str, made: &mut BTreeSet<String>, refused: &mut Vec<String>) {
    let ends = path.match_indices('/').map(|(at, _)| &path[..at]);
    for above in ends {
        match folder.look(above) {
            Ok((State::Absent, _)) => {
                made.insert(above.to_owned());
            }
            Ok((State::File { .. }, _)) => {
                refused.push(format!("{}: it is a file by now", one_line(above)));
            }
            // The path itself was refused for the same reason.
            Ok((State::Folder, _)) | Err(_) => {}
        }
    }
}

fn step(folder: &Folder, wanted: &Wanted) -> Result<Option<Prepared>, String> {
    let (now, old) = folder
        .look(&wanted.path)
        .map_err(|error| error.to_string())?;
    match (&wanted.before, &now) {
        (Before::Absent, State::Absent) | (Before::Folder, State::Folder) => {}
        (Before::Absent, State::Folder) if matches!(wanted.after, After::Folder) => {
            return Ok(None);
        }
        (Before::Absent, _) => return Err("something is there already, which was not sent".into()),
        (Before::File { sha256 }, State::File { sha256: is, .. }) if sha256 == is => {}
        (Before::File { .. }, State::File { .. }) => {
            return Err("it was changed since it was sent".into());
        }
        (_, State::Absent) => return Err("it is gone by now".into()),
        _ => return Err("something else is there by now".into()),
    }
    let (after, new) = match &wanted.after {
        After::Gone => (State::Absent, Vec::new()),
        After::Folder => (State::Folder, Vec::new()),
        After::File {
            content,
            executable,
        } => {
            let sha256 = hash(content);
            let mode = mode(&now, *executable);
            (State::File { sha256, mode }, content.clone())
        }
    };
    let mut folder_mode = None;
    match &now {
        State::Folder if after == State::Absent => {
            folder_mode = Some(
                folder
                    .mode(&wanted.path)
                    .map_err(|error| error.to_string())?,
            );
        }
        State::File { mode, .. } if mode & 0o7000 != 0 && now != after => {
            return Err(
                "it has a setuid, setgid or sticky bit: such files are never touched".into(),
            );
        }
        _ => {}
    }
    let path = wanted.path.clone();
    let step = Step {
        path,
        before: now,
        after,
        folder_mode,
    };
    Ok((step.before != step.after).then_some(Prepared { step, old, new }))
}

/// Of the mode in the sandbox, only whether a file can be executed counts; the rest is the real file's, or what a new
/// file of the user's has. No setuid, no setgid.
fn mode(now: &State, executable: Option<bool>) -> u32 {
    let plain = match now {
        State::File { mode, .. } => mode & 0o777,
        _ => 0o666 & !umask(),
    };
    match executable {
        None => plain,
        Some(true) => plain | (plain & 0o444) >> 2,
        Some(false) => plain & !0o111,
    }
}

/// The mask for new files; the tightest where the kernel does not say it.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    mask.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok())
        .unwrap_or(0o077)
}

/// A folder that holds what was not sent stays, and it is said.
fn keep_filled_folders(folder: &Folder, plan: &mut Plan) -> io::Result<()> {
    let mut going: BTreeSet<String> = plan
        .steps
        .iter()
        .filter(|prepared| prepared.step.after == State::Absent)
        .map(|prepared| prepared.step.path.clone())
        .collect();
    let mut kept = Vec::new();
    // Deepest first, as the steps are in order: one that stays keeps those above it.
    for prepared in &plan.steps {
        let step = &prepared.step;
        if step.before != State::Folder {
            continue;
        }
        let names = folder.names(&step.path)?;
        let stays = |name: &String| !going.contains(&format!("{}/{name}", step.path));
        if names.iter().any(stays) {
            going.remove(&step.path);
            kept.push(step.path.clone());
        }
    }
    plan.steps
        .retain(|prepared| !kept.contains(&prepared.step.path));
    plan.notes.extend(kept.iter().map(|path| {
        let path = one_line(path);
        format!("{path} stays: there are files in it that were not sent or not chosen")
    }));
    Ok(())
}
