//! Where things are in the container. Fixed in an image; flags exist so that tests run elsewhere.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use crate::stop::Stop;

/// Paths that the supervisor uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    /// Where the script is written and run.
    pub(crate) workspace: PathBuf,
    /// Folder with the module that holds the interpreter.
    pub(crate) hold: PathBuf,
    /// Files to copy into HOME at boot.
    pub(crate) home: PathBuf,
    /// The interpreter.
    pub(crate) python: PathBuf,
    /// From where files are handed back.
    pub(crate) out: PathBuf,
    /// HOME itself, if it can be written to.
    pub(crate) home_folder: Option<PathBuf>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            workspace: "/workspace".into(),
            hold: "/opt/saferun/hold".into(),
            home: "/opt/saferun/home".into(),
            python: "/usr/bin/python3".into(),
            out: "/out".into(),
            home_folder: None,
        }
    }
}

impl Places {
    /// Reads `--workspace`, `--hold`, `--home`, `--out` and `--python`, each with a path.
    pub(crate) fn from_args(args: impl Iterator<Item = OsString>) -> Result<Self, Stop> {
        let mut places = Self::default();
        let mut args = args;
        while let Some(flag) = args.next() {
            let place = match flag.as_os_str() {
                name if name == OsStr::new("--workspace") => &mut places.workspace,
                name if name == OsStr::new("--hold") => &mut places.hold,
                name if name == OsStr::new("--home") => &mut places.home,
                name if name == OsStr::new("--out") => &mut places.out,
                name if name == OsStr::new("--python") => &mut places.python,
                other => return Err(Stop::boot(format!("unknown argument {}", other.display()))),
            };
            match args.next() {
                Some(path) => *place = path.into(),
                None => return Err(Stop::boot(format!("{} needs a path", flag.display()))),
            }
        }
        Ok(places)
    }
}

impl Places {
    /// The first writable folder of these in the workspace's place, where a policy makes the workspace read-only: the
    /// script has to stand somewhere. `None` if there is none.
    pub(crate) fn settled(mut self) -> Option<Self> {
        let writable = |path: &Path| access(path, AccessFlags::W_OK).is_ok();
        let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
        self.home_folder = home.map(PathBuf::from).filter(|home| writable(home));
        if !writable(&self.workspace) {
            let others = ["/tmp".into(), "/out".into()].into_iter();
            let mut others = others.chain(self.home_folder.clone());
            self.workspace = others.find(|path: &PathBuf| writable(path))?;
        }
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Places, Stop> {
        Places::from_args(args.iter().map(OsString::from))
    }

    #[test]
    fn no_flags_mean_the_image_layout() {
        assert_eq!(parse(&[]).ok(), Some(Places::default()));
    }

    #[test]
    fn flags_replace_single_places() {
        let places = parse(&["--workspace", "/tmp/w"]).expect("a known flag");
        assert_eq!(places.workspace, PathBuf::from("/tmp/w"));
        assert_eq!(places.python, Places::default().python);
    }

    #[test]
    fn unknown_or_incomplete_flags_are_faults() {
        assert!(parse(&["--shell", "/bin/sh"]).is_err());
        assert!(parse(&["--python"]).is_err());
    }
}
