//! Puts what a run changed into the real folder, when a person or a command line says so: all of what was chosen or
//! nothing, with a journal by which a crash in the middle is completed or undone. What came back is hostile.

mod ask;
mod carry;
mod choose;
mod command;
mod danger;
mod folder;
mod hunks;
mod journal;
mod moment;
mod plan;

use std::path::{Path, PathBuf};

use saferun_protocol::{Outcome, Place, RunResult};

use crate::{
    args::RunArgs,
    daemon, exit,
    failure::Failure,
    run::{Originals, signals},
    ui::{self, one_line},
};
pub(crate) use choose::Choice;
pub(crate) use command::apply;
use folder::Folder;
use journal::{Journals, Side, Stage};

/// Where changes are to go, as the command line says.
#[derive(Debug)]
pub(crate) struct Target {
    root: PathBuf,
    choice: Choice,
    patch: bool,
    anyway: bool,
}

/// What the command line asks for; `None` if nothing is to be applied. Refused before the run where an earlier apply to
/// the same folder was interrupted.
pub(crate) fn target(args: &RunArgs) -> Result<Option<Target>, Failure> {
    let Some(workspace) = &args.workspace else {
        return Ok(None);
    };
    if args.apply.is_empty() && args.apply_hunks.is_empty() && !args.patch {
        return Ok(None);
    }
    if args.patch && !crate::run::person_present() {
        return Err(Failure::usage(
            "--patch asks, and there is no terminal to ask at",
            "name what to apply: --apply, --apply=PATTERN or --apply-hunk PATH:N",
        ));
    }
    let root = workspace.canonicalize().map_err(|error| {
        let shown = ui::path(workspace);
        Failure::usage(format!("cannot use {shown}: {error}"), "name a folder")
    })?;
    let state = daemon::state_dir()?;
    if state.canonicalize().unwrap_or(state).starts_with(&root) {
        return Err(Failure::usage(
            format!(
                "{} holds SafeRun's own state, and nothing is applied there",
                ui::path(&root)
            ),
            "name the folder of one project",
        ));
    }
    none_interrupted(&open()?, &root)?;
    Ok(Some(Target {
        root,
        choice: Choice {
            patterns: args.apply.clone(),
            hunks: args.apply_hunks.clone(),
        },
        patch: args.patch,
        anyway: args.apply_anyway,
    }))
}

impl Target {
    /// Applies what was chosen of a result; says on standard error what was done.
    pub(crate) fn apply(&self, result: &RunResult, originals: &Originals) -> Result<(), Failure> {
        self.check(result)?;
        let Some(effects) = &result.effects else {
            return Err(Failure::failed(
                "nothing is known of what the run changed; nothing was applied",
                "the policy may forbid it: returns.diff",
            ));
        };
        let chosen = if self.patch {
            let mut questions = ask::terminal().map_err(|error| {
                Failure::failed(format!("cannot ask: {error}"), "use --apply=PATTERN")
            })?;
            let mut ask = |change: &_, hunks: Option<&_>| questions.ask(change, hunks);
            choose::choose(effects, originals, &self.choice, Some(&mut ask))?
        } else {
            choose::choose(effects, originals, &self.choice, None)?
        };
        // Each on a line of its own, and none cut: a long list must not hide one of them.
        for note in &chosen.left_out {
            ui::note(format!("saferunctl: {note}"));
        }
        let home = effects.changes.iter();
        let home = home.filter(|change| change.place == Place::Home).count();
        if home > 0 {
            ui::note(format!(
                "saferunctl: {home} changes to HOME are never applied"
            ));
        }
        commit(&open()?, &self.root, &chosen.wanted)
    }

    /// Whether the run ended in a way that its changes are worth something.
    fn check(&self, result: &RunResult) -> Result<(), Failure> {
        if self.anyway {
            return Ok(());
        }
        let why = if result.status != Outcome::Completed {
            "the run did not complete".to_owned()
        } else if let Some(code @ 1..) = result.exit_code {
            format!("the script ended with exit code {code}")
        } else if result
            .effects
            .as_ref()
            .is_some_and(|effects| !effects.complete)
        {
            "not all of what it changed is known".to_owned()
        } else {
            return Ok(());
        };
        Err(Failure::failed(
            format!("{why}: nothing was applied"),
            "see what changed with --diff; --apply-anyway applies it all the same",
        ))
    }
}

/// Refuses while an earlier apply to the folder, to one above or to one in it is neither completed nor undone.
fn none_interrupted(journals: &Journals, root: &Path) -> Result<(), Failure> {
    for journal in journals.all().map_err(|error| unreadable(&error))? {
        let overlap = root.starts_with(&journal.root) || journal.root.starts_with(root);
        if journal.stage == Stage::Begun && overlap {
            return Err(Failure::failed(
                format!(
                    "an earlier apply to {} was interrupted",
                    ui::path(&journal.root)
                ),
                "complete it with `saferunctl apply --recover`, or undo it with `saferunctl apply --undo`",
            ));
        }
    }
    Ok(())
}

/// Plans, writes the journal, does the steps; undoes them if one fails.
fn commit(journals: &Journals, root: &Path, wanted: &[choose::Wanted]) -> Result<(), Failure> {
    // Again: the run in between may have been long.
    none_interrupted(journals, root)?;
    let folder = Folder::open(root).map_err(|error| unreadable(&error))?;
    let plan = plan::plan(&folder, wanted).map_err(|refused| {
        let shown: Vec<&str> = refused.iter().take(5).map(String::as_str).collect();
        let more = match refused.len() - shown.len() {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        Failure::failed(
            format!("nothing was applied: {}{more}", shown.join("; ")),
            "run again with the folder as it is now, or choose less: --apply=PATTERN",
        )
    })?;
    for note in &plan.notes {
        ui::note(format!("saferunctl: {note}"));
    }
    if plan.steps.is_empty() {
        ui::note("saferunctl: nothing to apply");
        return Ok(());
    }
    let names: Vec<String> = plan
        .steps
        .iter()
        .map(|one| one_line(&one.step.path))
        .collect();
    let (journal, done) = carried(journals, root, plan.steps)?;
    match done {
        Done::Applied(notes) => {
            say(&notes);
            let (count, names) = (names.len(), names.join(", "));
            let cut = names.chars().count() > 200;
            let names: String = names.chars().take(200).collect();
            let names = if cut { names + "…" } else { names };
            ui::note(format!(
                "saferunctl: applied {count} to {}: {names}\n  undo it with: saferunctl apply --undo {}",
                ui::path(root),
                journal.id
            ));
            // Old journals that cannot be removed are in nobody's way.
            let _ = journals.prune();
            Ok(())
        }
        Done::Undone(error, notes) => {
            say(&notes);
            if error.kind() == std::io::ErrorKind::Interrupted {
                return Err(interrupted());
            }
            Err(Failure::failed(
                format!("{error}; what had been applied was undone"),
                "mend that and run again",
            ))
        }
        Done::Neither(error, undo) => Err(Failure::failed(
            format!("{error}; and undoing it failed: {undo}"),
            format!(
                "mend that, then: saferunctl apply --undo {id}, or --recover {id}",
                id = journal.id
            ),
        )),
    }
}

/// What became of the steps.
enum Done {
    Applied(Vec<String>),
    Undone(std::io::Error, Vec<String>),
    Neither(std::io::Error, std::io::Error),
}

/// Writes the journal and does the steps, or undoes them. A signal does not end it between two steps: it is heeded before
/// the next one, and what was done is undone.
fn carried(
    journals: &Journals,
    root: &Path,
    steps: Vec<plan::Prepared>,
) -> Result<(journal::Journal, Done), Failure> {
    let _held = signals::hold();
    let mut journal = journals
        .create(root, steps)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::Interrupted => interrupted(),
            _ => unreadable(&error),
        })?;
    let done = match carry::carry_unless(&mut journal, Side::After, signals::asked) {
        Ok(notes) => Done::Applied(notes),
        Err(error) => match carry::roll_back(&mut journal) {
            Ok(notes) => Done::Undone(error, notes),
            Err(undo) => Done::Neither(error, undo),
        },
    };
    Ok((journal, done))
}

fn interrupted() -> Failure {
    Failure {
        exit: exit::CANCELLED,
        message: "interrupted: everything is as it was before, and nothing was applied".to_owned(),
        advice: None,
    }
}

fn say(notes: &[String]) {
    for note in notes {
        ui::note(format!("saferunctl: {note}"));
    }
}

fn open() -> Result<Journals, Failure> {
    Journals::open(&daemon::state_dir()?).map_err(|error| unreadable(&error))
}

fn unreadable(error: &std::io::Error) -> Failure {
    Failure::failed(
        format!("changes cannot be applied: {error}"),
        "journals are kept in apply/ below the folder of SafeRun's state",
    )
}

#[cfg(test)]
mod tests;
