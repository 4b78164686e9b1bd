//! Where the daemon's program, its state and its log are.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// The folder of the daemon's state and log: `SAFERUN_STATE_DIR`, else `$XDG_STATE_HOME/saferun`, else
/// `~/.local/state/saferun`.
pub(crate) fn state_dir() -> Result<PathBuf, Failure> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    if let Some(set) = env::var_os("SAFERUN_STATE_DIR").filter(|set| !set.is_empty()) {
        let path = PathBuf::from(set);
        // The daemon refuses such a one as well; another folder in its place would be nobody's wish.
        return if path.is_absolute() {
            Ok(path)
        } else {
            Err(Failure::failed(
                format!(
                    "SAFERUN_STATE_DIR is `{}`, which is not an absolute path",
                    path.display()
                ),
                "give one that starts with /",
            ))
        };
    }
    absolute("XDG_STATE_HOME")
        .map(|base| base.join("saferun"))
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state/saferun")))
        .ok_or_else(|| {
            Failure::failed(
                "no folder for the daemon's state is known",
                "set HOME or SAFERUN_STATE_DIR",
            )
        })
}

/// The daemon's log, when `saferunctl` started it.
pub(crate) fn log_file() -> Result<PathBuf, Failure> {
    Ok(state_dir()?.join("saferund.log"))
}

/// The daemon's program: `SAFERUN_DAEMON`, else beside this program, else on `PATH`.
pub(crate) fn find_daemon() -> Result<PathBuf, Failure> {
    if let Some(set) = env::var_os("SAFERUN_DAEMON").filter(|set| !set.is_empty()) {
        let path = PathBuf::from(set);
        return if path.is_absolute() && executable(&path) {
            Ok(path)
        } else {
            Err(Failure::failed(
                format!(
                    "SAFERUN_DAEMON is `{}`, which is no absolute path of a program",
                    path.display()
                ),
                "set it to the path of saferund, or unset it",
            ))
        };
    }
    let beside = env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.join("saferund")));
    let on_path = env::var_os("PATH").into_iter().flat_map(|path| {
        env::split_paths(&path)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join("saferund"))
            .collect::<Vec<_>>()
    });
    beside
        .into_iter()
        .chain(on_path)
        .find(|path| executable(path))
        .ok_or_else(|| {
            Failure::failed(
                "the daemon's program saferund was found neither beside saferunctl nor on PATH",
                "install it there, or set SAFERUN_DAEMON to its path",
            )
        })
}

fn executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
