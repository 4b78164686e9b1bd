//! Does what a journal says, forward or back, from wherever an earlier attempt ended. A path that is neither as before
//! nor as wanted was changed by somebody else: then nothing is done at all.

use std::io;

use nix::errno::Errno;

use super::{
    folder::{Folder, State, hash},
    journal::{Journal, Side, Stage},
    moment::reach,
};
use crate::ui::one_line;

/// Brings every path to one side; the notes say what stayed.
pub(super) fn carry(journal: &mut Journal, to: Side) -> io::Result<Vec<String>> {
    carry_unless(journal, to, || false)
}

/// The same; stops before a step when told to, with [`io::ErrorKind::Interrupted`].
pub(super) fn carry_unless(
    journal: &mut Journal,
    to: Side,
    stop: impl Fn() -> bool,
) -> io::Result<Vec<String>> {
    let folder = Folder::open(&journal.root)?;
    for number in 0..journal.steps.len() {
        needed(&folder, journal, number, to)?;
    }
    if journal.stage != Stage::Begun {
        // From here on it is on neither side as a whole.
        journal.mark(Stage::Begun)?;
    }
    let count = journal.steps.len();
    let mut notes = Vec::new();
    for at in 0..count {
        let number = if to == Side::After {
            at
        } else {
            count - 1 - at
        };
        reach();
        if stop() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if needed(&folder, journal, number, to)? {
            one(&folder, journal, number, to, &mut notes)?;
        }
        folder.tidy(&journal.steps[number].path, &beside(journal, number));
    }
    reach();
    journal.mark(match to {
        Side::After => Stage::Applied,
        Side::Before => Stage::Undone,
    })?;
    Ok(notes)
}

/// Undoes what was done before a step failed. A path that something else has changed meanwhile stays as it is, with a
/// note: it was not reached, or is no longer what was put there.
pub(super) fn roll_back(journal: &mut Journal) -> io::Result<Vec<String>> {
    let folder = Folder::open(&journal.root)?;
    let mut notes = Vec::new();
    for number in (0..journal.steps.len()).rev() {
        reach();
        match needed(&folder, journal, number, Side::Before) {
            Ok(true) => one(&folder, journal, number, Side::Before, &mut notes)?,
            Ok(false) => {}
            Err(error) => notes.push(format!("{error}; it was left as it is")),
        }
        folder.tidy(&journal.steps[number].path, &beside(journal, number));
    }
    reach();
    journal.mark(Stage::Undone)?;
    Ok(notes)
}

/// Whether a step is still to be done; an error where the path is on neither side.
fn needed(folder: &Folder, journal: &Journal, number: usize, to: Side) -> io::Result<bool> {
    let step = &journal.steps[number];
    let (from, to) = sides(journal, number, to);
    let shown = one_line(&step.path);
    let (now, _) = folder
        .look(&step.path)
        .map_err(|error| io::Error::other(format!("{shown}: {error}")))?;
    if now == *to {
        return Ok(false);
    }
    if now == *from {
        return Ok(true);
    }
    Err(io::Error::other(format!(
        "{shown} was changed by something else meanwhile"
    )))
}

fn sides(journal: &Journal, number: usize, to: Side) -> (&State, &State) {
    let step = &journal.steps[number];
    match to {
        Side::After => (&step.before, &step.after),
        Side::Before => (&step.after, &step.before),
    }
}

/// A name for the file that is written before it takes its place.
fn beside(journal: &Journal, number: usize) -> String {
    format!(".saferun-apply-{}-{number}", journal.id)
}

fn one(
    folder: &Folder,
    journal: &Journal,
    number: usize,
    to: Side,
    notes: &mut Vec<String>,
) -> io::Result<()> {
    let path = &journal.steps[number].path;
    let (from, state) = sides(journal, number, to);
    let shown = one_line(path);
    let done = match state {
        State::Folder => {
            let beside = beside(journal, number);
            folder.tidy(path, &beside);
            folder.make(path, &beside, journal.steps[number].folder_mode)
        }
        State::Absent if *from == State::Folder => match folder.remove(path, true) {
            Err(error) if error.raw_os_error() == Some(Errno::ENOTEMPTY as i32) => {
                notes.push(format!("{shown} stays: something else is in it"));
                Ok(())
            }
            other => other,
        },
        State::Absent => folder.remove(path, false),
        State::File { mode, sha256 } => {
            let content = journal.content(number, to)?;
            if hash(&content) != *sha256 {
                return Err(io::Error::other(format!(
                    "{shown}: the journal's copy of it is damaged"
                )));
            }
            let beside = beside(journal, number);
            folder.tidy(path, &beside);
            let over = *from != State::Absent;
            folder.place(path, &beside, &content, *mode, over)
        }
    };
    reach();
    done.map_err(|error| io::Error::other(format!("{shown}: {error}")))
}
