//! Raw samples on disk, as JSON: one file for each command.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;

/// Writes `NAME.json`.
pub(crate) fn write(folder: &Path, name: &str, value: &Value) -> Result<()> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{name}.json"));
    fs::write(&path, serde_json::to_string_pretty(value)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    crate::show::line(&format!("raw samples: {}", path.display()));
    Ok(())
}

/// Reads `NAME.json`; `None` if that command was not run yet.
pub(crate) fn read(folder: &Path, name: &str) -> Result<Option<Value>> {
    let path = folder.join(format!("{name}.json"));
    match fs::read(&path) {
        Ok(bytes) => {
            Ok(Some(serde_json::from_slice(&bytes).with_context(|| {
                format!("{} is no JSON", path.display())
            })?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
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
