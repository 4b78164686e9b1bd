//! Ways without a container engine: the bare interpreter, and bubblewrap with namespaces only.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::{Sample, Way, found, script, timed, unpooled};
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
    fn measure(&mut self, _: &Product, program: &Program) -> Result<Sample> {
        let script = script(&self.scratch, program)?;
        let mut command = Command::new(PYTHON);
        command.arg(&script);
        if let Some(packages) = self.packages.as_ref().filter(|_| program.packages) {
            command.env("PYTHONPATH", packages);
        }
        if let Some(project) = script.parent().filter(|_| program.project) {
            command.current_dir(project);
        }
        timed(&mut command, program).map(unpooled)
    }
}

struct Bubblewrap {
    scratch: PathBuf,
    packages: Option<PathBuf>,
}

pub(super) fn bubblewrap(scratch: &Path, packages: Option<&Path>) -> Result<Box<dyn Way>, String> {
    if !found("bwrap") {
        return Err("bubblewrap is not installed".to_owned());
    }
    Ok(Box::new(Bubblewrap {
        scratch: scratch.to_owned(),
        packages: packages.map(Path::to_owned),
    }))
}

impl Way for Bubblewrap {
    fn measure(&mut self, _: &Product, program: &Program) -> Result<Sample> {
        let script = script(&self.scratch, program)?;
        let mut command = Command::new("bwrap");
        command.args(["--unshare-all", "--die-with-parent", "--new-session"]);
        for folder in ["/usr", "/lib", "/lib64", "/bin", "/etc"] {
            command.args(["--ro-bind-try", folder, folder]);
        }
        command.args(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]);
        if let Some(packages) = self.packages.as_ref().filter(|_| program.packages) {
            command.arg("--ro-bind").arg(packages).arg("/packages");
            command.args(["--setenv", "PYTHONPATH", "/packages"]);
        }
        if let Some(project) = script.parent().filter(|_| program.project) {
            command.arg("--bind").arg(project).arg("/workspace");
            command.args(["--chdir", "/workspace"]);
        }
        command.arg("--ro-bind").arg(&script);
        command.args(["/main.py", PYTHON, "/main.py"]);
        timed(&mut command, program).map(unpooled)
    }
}
