//! The programs that are run in each way, with what they must print.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};

/// A program and its expected output.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// Name in tables and on the command line.
    pub(crate) name: &'static str,
    /// What it shows.
    pub(crate) about: &'static str,
    /// The script.
    pub(crate) source: String,
    /// What it prints.
    pub(crate) output: Vec<u8>,
    /// Whether it needs the packages of the image `python-data`, on the host too.
    pub(crate) packages: bool,
    /// Whether it leaves files in `/out` that are handed back.
    pub(crate) artifacts: bool,
    /// Whether it works on a folder of files, see [`project`].
    pub(crate) project: bool,
    /// Short names of the ways that it is run in; all if there are none.
    pub(crate) ways: &'static [&'static str],
}

impl Program {
    /// A program for a plain interpreter.
    pub(crate) fn new(
        name: &'static str,
        about: &'static str,
        source: impl Into<String>,
        output: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            name,
            about,
            source: source.into(),
            output: output.into(),
            packages: false,
            artifacts: false,
            project: false,
            ways: &[],
        }
    }

    /// Whether it is run in this way.
    pub(crate) fn runs_in(&self, way: &str) -> bool {
        self.ways.is_empty() || self.ways.contains(&way)
    }

    /// Fails if the output is not what the program prints: a fast wrong answer is no result.
    pub(crate) fn check(&self, output: &[u8]) -> Result<()> {
        ensure!(
            output == self.output,
            "the program `{}` printed {} bytes beginning with {:?}, not the {} bytes it should",
            self.name,
            output.len(),
            String::from_utf8_lossy(&output[..output.len().min(80)]),
            self.output.len()
        );
        Ok(())
    }
}

/// A program that prints so many lines of 100 bytes.
pub(crate) fn lines(name: &'static str, about: &'static str, count: usize) -> Program {
    let line = format!("{}\n", "x".repeat(99));
    Program::new(
        name,
        about,
        format!(
            "line = 'x' * 99 + '\\n'\nimport sys\nfor _ in range({count}):\n    sys.stdout.write(line)\n"
        ),
        line.repeat(count),
    )
}

/// `print('hi')`.
pub(crate) fn print_hi() -> Program {
    Program::new("print", "`print('hi')`", "print('hi')\n", "hi\n")
}

/// Files in a project.
const FILES: usize = 200;
/// 200 of them are 5 MB.
const FILE_BYTES: usize = 25_000;
/// The file that a program leaves in the project.
const MADE: &str = "made.txt";

/// A program that reads all files of a project and writes one.
pub(crate) fn walk() -> Program {
    let mut walk = Program::new(
        "project",
        "reads 200 files, 5 MB, and writes one",
        format!(
            "import os\n\
             names = [name for name in os.listdir('.') if name.startswith('module')]\n\
             print(sum(len(open(name).read()) for name in names))\n\
             open('{MADE}', 'w').write('made')\n"
        ),
        format!("{}\n", FILES * FILE_BYTES),
    );
    walk.project = true;
    walk.ways = &["bare", "cli", "docker-run", "bwrap"];
    walk
}

/// The folder of that project, made on the first call.
pub(crate) fn project(scratch: &Path) -> Result<PathBuf> {
    let project = scratch.join("project");
    if project.exists() {
        return Ok(project);
    }
    fs::create_dir(&project)?;
    // A container's user writes there too.
    fs::set_permissions(&project, fs::Permissions::from_mode(0o777))?;
    for index in 0..FILES {
        let line = format!("value_{index} = {index}  # one line of a module\n");
        let text = line.repeat(FILE_BYTES / line.len() + 1);
        let path = project.join(format!("module_{index:03}.txt"));
        fs::write(path, &text.as_bytes()[..FILE_BYTES])?;
    }
    Ok(project)
}

/// Takes away what a run left in the project.
pub(crate) fn clean(scratch: &Path) -> Result<()> {
    let made = project(scratch)?.join(MADE);
    if made.exists() {
        fs::remove_file(made)?;
    }
    Ok(())
}

/// All of them.
pub(crate) fn all() -> Vec<Program> {
    // A loop of a fixed number of steps: about a second of one CPU, the same work in each way.
    let cpu = "n = 0\nfor i in range(9_000_000):\n    n = (n * 31 + i) & 0xffffff\nprint(n)\n";
    let mut n: u64 = 0;
    for i in 0..9_000_000_u64 {
        n = (n.wrapping_mul(31).wrapping_add(i)) & 0xff_ffff;
    }
    let mut cpu = Program::new("cpu", "computes for about a second", cpu, format!("{n}\n"));
    // What a start costs does not show beside a second: only what could slow the computing itself.
    cpu.ways = &["bare", "rpc", "rpc-gvisor", "docker-run", "bwrap"];
    let mut programs = vec![
        print_hi(),
        lines("out-1mb", "prints 1 MB in lines", 10_000),
        lines("out-10mb", "prints 10 MB in lines", 100_000),
        cpu,
        walk(),
    ];
    for program in &mut programs[1..3] {
        program.ways = WARM;
    }
    programs.extend(with_packages());
    programs
}

/// Without the other ways to a container of ours, which only differ in how a run begins.
const WARM: &[&str] = &[
    "bare",
    "rpc",
    "cli",
    "rpc-gvisor",
    "docker-run",
    "docker-exec",
    "bwrap",
    "llm-sandbox",
    "srt",
];
/// Those that can have the packages: llm-sandbox runs in the plain image.
const PACKAGES: &[&str] = &[
    "bare",
    "rpc",
    "cli",
    "rpc-gvisor",
    "docker-run",
    "docker-exec",
    "bwrap",
    "srt",
];
const PACKAGES_COLD: &[&str] = &[
    "bare",
    "rpc",
    "cli",
    "cold",
    "rpc-gvisor",
    "docker-run",
    "docker-exec",
    "bwrap",
    "srt",
];

/// Programs that import what models import most.
fn with_packages() -> [Program; 3] {
    let numpy = Program::new(
        "numpy",
        "`import numpy`, a sum",
        "import numpy\nprint(int(numpy.arange(10).sum()))\n",
        "45\n",
    );
    let pandas = Program::new(
        "pandas",
        "`import pandas`, a table grouped",
        "import pandas\n\
         table = pandas.DataFrame({'key': list('abab'), 'value': [1, 2, 3, 4]})\n\
         print(table.groupby('key')['value'].sum().to_dict())\n",
        "{'a': 4, 'b': 6}\n",
    );
    // On the host there is no /out: there it goes into the folder for temporary files.
    let mut figure = Program::new(
        "figure",
        "a figure of matplotlib saved to `/out`, and handed back",
        "import os, matplotlib\n\
         matplotlib.use('Agg')\n\
         import matplotlib.pyplot as plt\n\
         folder = '/out' if os.access('/out', os.W_OK) else os.environ.get('TMPDIR', '/tmp')\n\
         figure, axes = plt.subplots()\n\
         axes.plot([1, 3, 2])\n\
         path = os.path.join(folder, 'saferun-bench.png')\n\
         figure.savefig(path)\n\
         plt.close(figure)\n\
         print(os.path.getsize(path) > 10_000)\n\
         if folder != '/out': os.remove(path)\n",
        "True\n",
    );
    figure.artifacts = true;
    let mut programs = [numpy, pandas, figure];
    for program in &mut programs {
        program.packages = true;
        program.ways = PACKAGES;
    }
    programs[0].ways = PACKAGES_COLD;
    programs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_or_short_output_is_refused() {
        let program = print_hi();
        assert!(program.check(b"hi\n").is_ok());
        assert!(program.check(b"hi").is_err());
        assert!(program.check(b"").is_err());
        assert_eq!(lines("x", "", 3).output.len(), 300);
    }
}
