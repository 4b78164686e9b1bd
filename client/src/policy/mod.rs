//! `policy`: shows and checks policies. Works on texts alone, without the daemon.

mod decide;
mod layers;

use std::path::Path;

use saferun_policy::{
    LayerKind, Policy, Source, check_beside, preset, preset_names, preset_text, schema,
};
use saferun_policy_files::{PROJECT_FILE, read_to_check};
use serde_json::json;

pub(crate) use layers::Chosen;

use crate::{
    args::{PolicyCommand, PolicyShowArgs},
    exit,
    failure::Failure,
    ui::{self, one_line},
};

/// Does what was asked with policies.
pub(crate) fn policy(command: &PolicyCommand) -> Result<u8, Failure> {
    match command {
        PolicyCommand::Show(args) => show(args),
        PolicyCommand::Check { files } => {
            // A file of the machine that cannot be used is a mistake of its own, and not of the one asked for.
            let others = layers::standing().unwrap_or_default();
            let mut worst = 0;
            for file in files {
                worst = worst.max(check_source(&read(file)?, &others));
            }
            if files.is_empty() {
                worst = check_here()?;
            }
            Ok(worst)
        }
        PolicyCommand::Explain(args) => decide::explain(args),
        PolicyCommand::Test { files, json } => decide::test(files, *json),
        PolicyCommand::Schema => {
            ui::line(serde_json::to_string_pretty(&schema()).unwrap_or_default());
            Ok(0)
        }
    }
}

fn show(args: &PolicyShowArgs) -> Result<u8, Failure> {
    if args.source {
        let name = args.preset.as_deref().unwrap_or("default");
        ui::out(preset_text(name).ok_or_else(|| unknown(name))?);
        return Ok(0);
    }
    let policy = match (&args.preset, &args.file) {
        (Some(name), _) => Some(preset(name).ok_or_else(|| unknown(name))?),
        (None, Some(path)) => layers::loaded(&[read(path)?]).map(|loaded| loaded.policy),
        (None, None) => layers::here()?.load()?.map(|loaded| loaded.policy),
    };
    let Some(policy) = policy else {
        return Ok(exit::NOT_OK);
    };
    let shown = policy.show();
    if args.json {
        ui::line(ui::pretty_json(
            &json!({"name": policy.name, "hash": policy.hash(), "values": shown}),
        ));
    } else {
        ui::out(text(&policy, args.origin));
    }
    Ok(0)
}

fn unknown(name: &str) -> Failure {
    Failure::usage(
        format!("there is no preset {}", one_line(name)),
        format!(
            "use one of {}; a file of your own goes after --file",
            preset_names().join(", ")
        ),
    )
}

fn text(policy: &Policy, with_origin: bool) -> String {
    let rows: Vec<_> = policy
        .show()
        .into_iter()
        .map(|shown| {
            let mut value = one_line(&shown.value);
            if shown.not_in_force.is_some() {
                value.push_str(" (nothing acts on it yet)");
            }
            let mut row = vec![shown.key, value];
            if with_origin {
                row.push(shown.origin.to_string());
            }
            row
        })
        .collect();
    ui::table(&rows)
}

/// Checks one file; it may speak of the custom rules of the others.
fn check_source(source: &Source, others: &[Source]) -> u8 {
    let found = check_beside(source, others);
    for diagnostic in &found {
        ui::line(format!("{diagnostic}\n"));
    }
    let errors = found
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .count();
    let shown = one_line(&source.name);
    match (errors, found.len()) {
        (0, 0) => ui::line(format!("{shown} is sound")),
        (0, warnings) => ui::line(format!("{shown} is sound, with {warnings} to look at")),
        (1, _) => ui::line(format!("{shown} has one error")),
        (errors, _) => ui::line(format!("{shown} has {errors} errors")),
    }
    if errors == 0 { 0 } else { exit::NOT_OK }
}

/// The files that hold here, each by itself and all together.
fn check_here() -> Result<u8, Failure> {
    let files = files_here()?;
    let mut worst = 0;
    for source in &files {
        worst = worst.max(check_source(source, &files));
    }
    if worst == 0 && layers::loaded(&files).is_none() {
        worst = exit::NOT_OK;
    }
    if files.is_empty() {
        ui::line("there is no policy file here: the preset default holds");
    }
    Ok(worst)
}

/// The system's, the user's, and the project's files.
fn files_here() -> Result<Vec<Source>, Failure> {
    let mut files = layers::standing()?;
    files.extend(layers::project_here()?);
    Ok(files)
}

/// A file as the layer that it is by its name and place; anything else as the user's own.
fn read(path: &Path) -> Result<Source, Failure> {
    let layer = if path.file_name().is_some_and(|name| name == PROJECT_FILE) {
        LayerKind::Project
    } else if path.starts_with("/etc/saferun") {
        LayerKind::System
    } else {
        LayerKind::User
    };
    read_to_check(layer, path).map_err(|error| {
        Failure::usage(
            one_line(&error.to_string()),
            "give the path of a policy file, of text",
        )
    })
}
