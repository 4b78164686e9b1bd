//! `policy`: shows and checks policies. Works on texts alone, without the daemon.

mod decide;

use std::{fs, path::Path};

use saferun_policy::{
    LayerKind, LoadOptions, Policy, Source, check, load, preset, preset_names, preset_text, schema,
};
use serde_json::json;

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
            let mut worst = 0;
            for file in files {
                worst = worst.max(check_file(file)?);
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
        ui::out(preset_text(&args.preset).ok_or_else(|| unknown(&args.preset))?);
        return Ok(0);
    }
    let Some(policy) = resolve(&args.preset, args.file.as_deref())? else {
        return Ok(exit::NOT_OK);
    };
    let shown = policy.show();
    if args.json {
        ui::line(
            serde_json::to_string_pretty(&json!({"name": policy.name, "values": shown}))
                .unwrap_or_default(),
        );
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

/// The policy of a preset, or of a file. `None` if the file has errors, which were printed.
fn resolve(name: &str, file: Option<&Path>) -> Result<Option<Policy>, Failure> {
    let Some(path) = file else {
        return preset(name).map(Some).ok_or_else(|| unknown(name));
    };
    match load(&[read(path)?], &LoadOptions::default()) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                ui::note(warning.to_string());
            }
            Ok(Some(loaded.policy))
        }
        Err(diagnostics) => {
            ui::note(diagnostics.to_string());
            Ok(None)
        }
    }
}

fn text(policy: &Policy, with_origin: bool) -> String {
    let rows: Vec<_> = policy
        .show()
        .into_iter()
        .map(|shown| {
            let mut row = vec![shown.key, one_line(&shown.value)];
            if with_origin {
                row.push(shown.origin.to_string());
            }
            row
        })
        .collect();
    ui::table(&rows)
}

fn check_file(path: &Path) -> Result<u8, Failure> {
    let found = check(&read(path)?, &LoadOptions::default());
    for diagnostic in &found {
        ui::line(format!("{diagnostic}\n"));
    }
    let errors = found
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .count();
    let shown = path.display();
    match (errors, found.len()) {
        (0, 0) => ui::line(format!("{shown} is sound")),
        (0, warnings) => ui::line(format!("{shown} is sound, with {warnings} to look at")),
        (1, _) => ui::line(format!("{shown} has one error")),
        (errors, _) => ui::line(format!("{shown} has {errors} errors")),
    }
    Ok(if errors == 0 { 0 } else { exit::NOT_OK })
}

/// A file as the user's own layer.
fn read(path: &Path) -> Result<Source, Failure> {
    let shown = path.display().to_string();
    let unusable = |why: String| {
        Failure::usage(
            format!("cannot read the policy {shown}: {why}"),
            "check the path",
        )
    };
    if fs::metadata(path).is_ok_and(|meta| meta.len() > saferun_policy::MAX_BYTES as u64) {
        return Err(unusable(format!(
            "it is larger than {} bytes",
            saferun_policy::MAX_BYTES
        )));
    }
    let text = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    Ok(Source::yaml(LayerKind::User, shown, text))
}
