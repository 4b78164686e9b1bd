//! `saferunctl apply`: lists what was applied, completes or undoes it.

use super::{
    carry::carry,
    journal::{Journal, Journals, Side, Stage},
    open, unreadable,
};
use crate::{
    args::ApplyArgs,
    exit,
    failure::Failure,
    run::signals,
    ui::{self, one_line},
};

/// Runs the command; returns the exit code.
pub(crate) fn apply(args: &ApplyArgs) -> Result<u8, Failure> {
    let journals = open()?;
    let all = journals.all().map_err(|error| unreadable(&error))?;
    match (&args.recover, &args.undo) {
        (Some(id), _) => {
            let begun = all
                .into_iter()
                .filter(|journal| journal.stage == Stage::Begun);
            Ok(each(&journals, named(begun.collect(), id)?, Side::After))
        }
        (_, Some(id)) => {
            let can = all
                .into_iter()
                .filter(|journal| journal.stage != Stage::Undone);
            let mut found = named(can.collect(), id)?;
            // Without a name it is the last one.
            let last = found.pop().into_iter().collect();
            Ok(each(&journals, last, Side::Before))
        }
        (None, None) => {
            list(&all);
            Ok(0)
        }
    }
}

fn named(mut journals: Vec<Journal>, id: &str) -> Result<Vec<Journal>, Failure> {
    if !id.is_empty() {
        journals.retain(|journal| journal.id == id);
        if journals.is_empty() {
            return Err(Failure::usage(
                format!("there is nothing to do for {}", one_line(id)),
                "see what there is: saferunctl apply",
            ));
        }
    }
    Ok(journals)
}

pub(super) fn each(journals: &Journals, chosen: Vec<Journal>, to: Side) -> u8 {
    let (done, other) = match to {
        Side::After => ("completed", "--undo"),
        Side::Before => ("undone: everything is as before", "--recover"),
    };
    let mut code = 0;
    if chosen.is_empty() {
        ui::note("saferunctl: nothing to do");
    }
    // Ctrl-C does not end it between two steps: what was begun is done to its end, and the rest is left.
    let _watch = signals::watch();
    signals::run_is_over();
    let mut rest = chosen.into_iter();
    while let Some(mut journal) = rest.next() {
        if signals::asked() {
            let left = rest.len() + 1;
            ui::note(format!(
                "saferunctl: interrupted; nothing was done for the other {left}"
            ));
            return exit::CANCELLED;
        }
        let shown = ui::path(&journal.root);
        let carried = {
            let _held = signals::hold();
            carry(&mut journal, to)
        };
        match carried {
            Ok(notes) => {
                ui::line(format!("{} in {shown}: {done}", journal.id));
                for note in notes {
                    ui::note(format!("saferunctl: {note}"));
                }
            }
            Err(error) => {
                code = exit::NOT_OK;
                let id = &journal.id;
                ui::note(format!(
                    "saferunctl: {id} in {shown}: {error}; nothing more was done\n  put that file back as it was before or after, or try {other} {id}"
                ));
            }
        }
    }
    let _ = journals.prune();
    code
}

fn list(all: &[Journal]) {
    for journal in all {
        let stage = match journal.stage {
            Stage::Begun => "interrupted",
            Stage::Applied => "applied",
            Stage::Undone => "undone",
        };
        let (count, root) = (journal.steps.len(), ui::path(&journal.root));
        ui::line(format!("{}  {stage:<11}  {count:>4} in {root}", journal.id));
    }
    if all.is_empty() {
        ui::note("saferunctl: nothing was applied yet");
    }
}
