//! Ways without a container engine: the bare interpreter, and bubblewrap with namespaces only.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::{Way, found, script, timed};
use crate::{product::Product, programs::Program};

/// The distribution's own interpreter, which is also the one in the image.
const PYTHON: &str = "/usr/bin/python3";

struct Bare {
    scratch: PathBuf,
    packages: Option<PathBuf>,
}

/// `packages`: where the host has the wheels of the image `python-data`.
pub(super) fn bare(scratch: &Path, packages: Option<&Path>) -> Box<dyn Way> {
    Box::new(Bare {
        scratch: scratch.to_owned(),
        packages: packages.map(Path::to_owned),
    })
}

impl Way for Bare {
    fn measure(&mut self, _: &Product, program: &Program) -> Result<f64> {
        let mut command = Command::new(PYTHON);
        command.arg(script(&self.scratch, program)?);
        if let Some(packages) = self.packages.as_ref().filter(|_| program.packages) {
            command.env("PYTHONPATH", packages);
        }
        timed(&mut command, program)
    }
}

struct Bubblewrap(PathBuf);

pub(super) fn bubblewrap(scratch: &Path) -> Result<Box<dyn Way>, String> {
    if !found("bwrap") {
        return Err("bubblewrap is not installed".to_owned());
    }
    Ok(Box::new(Bubblewrap(scratch.to_owned())))
}

impl Way for Bubblewrap {
    fn measure(&mut self, _: &Product, program: &Program) -> Result<f64> {
        let script = script(&self.0, program)?;
        let mut command = Command::new("bwrap");
        command.args(["--unshare-all", "--die-with-parent", "--new-session"]);
        for folder in ["/usr", "/lib", "/lib64", "/bin", "/etc"] {
            command.args(["--ro-bind-try", folder, folder]);
        }
        command
            .args(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"])
            .arg("--ro-bind")
            .arg(&script)
            .args(["/main.py", PYTHON, "/main.py"]);
        timed(&mut command, program)
    }
}
