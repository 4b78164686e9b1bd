//! Paths of the system's and the user's policy file.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use etcetera::BaseStrategy;

/// Name of both files.
const FILE: &str = "policy.yaml";
/// Folder of the system's file.
const SYSTEM: &str = "/etc/saferun";

/// Where the files of the two trusted layers are, whether or not they exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// `/etc/saferun/policy.yaml`, or in the folder that `SAFERUN_SYSTEM_CONFIG_DIR` names.
    pub system: PathBuf,
    /// `saferun/policy.yaml` in the user's configuration folder (`XDG_CONFIG_HOME`, else `~/.config`), or in the
    /// folder that `SAFERUN_CONFIG_DIR` names. `None` where no home folder is known.
    pub user: Option<PathBuf>,
}

/// A variable that names no folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is `{value}`, which is not an absolute path")]
pub struct PlaceError {
    /// The variable.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

impl Places {
    /// The places as this process's environment says.
    ///
    /// # Errors
    /// A variable that names a folder by a relative path.
    pub fn from_env() -> Result<Self, PlaceError> {
        let system = folder(
            "SAFERUN_SYSTEM_CONFIG_DIR",
            env::var_os("SAFERUN_SYSTEM_CONFIG_DIR"),
        )?;
        let user = folder("SAFERUN_CONFIG_DIR", env::var_os("SAFERUN_CONFIG_DIR"))?;
        let user = user.or_else(|| {
            let strategy = etcetera::choose_base_strategy().ok()?;
            Some(strategy.config_dir().join("saferun"))
        });
        Ok(Self {
            system: system.unwrap_or_else(|| SYSTEM.into()).join(FILE),
            user: user.map(|folder| folder.join(FILE)),
        })
    }
}

fn folder(name: &'static str, value: Option<OsString>) -> Result<Option<PathBuf>, PlaceError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let path = PathBuf::from(value);
    if path.is_absolute() {
        Ok(Some(path))
    } else {
        let value = path.display().to_string();
        Err(PlaceError { name, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_folder_is_refused_and_an_empty_one_is_none() {
        assert_eq!(folder("X", None), Ok(None));
        assert_eq!(folder("X", Some("".into())), Ok(None));
        assert_eq!(folder("X", Some("/a".into())), Ok(Some("/a".into())));
        assert!(folder("X", Some("a/b".into())).is_err());
    }
}
