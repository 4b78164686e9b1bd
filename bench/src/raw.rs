//! Raw samples on disk, as JSON: one file for each command.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::plan::Plan;

/// Writes `NAME.json`, marked if it is that of a quick try.
pub(crate) fn write(plan: &Plan, name: &str, value: &Value) -> Result<()> {
    fs::create_dir_all(&plan.out)?;
    let mut value = value.clone();
    value["quick"] = json!(plan.quick);
    let path = path(&plan.out, name);
    fs::write(&path, serde_json::to_string_pretty(&value)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    crate::show::line(&format!("raw samples: {}", path.display()));
    Ok(())
}

/// Writes `NAME.json` of a part that failed: the page says why its place is empty.
pub(crate) fn write_failure(plan: &Plan, name: &str, error: &anyhow::Error) -> Result<()> {
    let reason = format!("{error:#}");
    write(plan, name, &json!({"failed": reason}))
}

/// Takes away what an earlier run has measured.
pub(crate) fn forget(folder: &Path, name: &str) -> Result<()> {
    match fs::remove_file(path(folder, name)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.json"))
}

/// Reads `NAME.json`; `None` if that command was not run yet.
pub(crate) fn read(folder: &Path, name: &str) -> Result<Option<Value>> {
    let path = path(folder, name);
    match fs::read(&path) {
        Ok(bytes) => {
            Ok(Some(serde_json::from_slice(&bytes).with_context(|| {
                format!("{} is no JSON", path.display())
            })?))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// The numbers of a JSON list.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .map(|list| list.iter().filter_map(Value::as_f64).collect())
        .unwrap_or_default()
}
