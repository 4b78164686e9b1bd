//! Promise: the workflow for GitHub Actions scans, and runs in the sandbox, the Python that a pull request changed. Its
//! steps are taken from the file as it is and done in a repository, as a runner does them; only the upload is not.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use saferun_tests::{Daemon, bin, git, text};

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs/github")
        .join(name)
}

/// The commands of a step of the workflow.
fn step(name: &str) -> String {
    let workflow = fs::read_to_string(page("saferun.yml")).expect("the workflow");
    let mut lines = workflow.lines();
    let found = lines.any(|line| line.trim() == format!("- name: {name}"));
    assert!(found, "{name}");
    assert!(lines.any(|line| line == "        run: |"), "{name}");
    let commands = lines.map_while(|line| line.strip_prefix("          "));
    commands.flat_map(|line| [line, "\n"]).collect()
}

/// A repository, and where the runner keeps its own files.
struct Runner<'daemon> {
    daemon: &'daemon Daemon,
    tree: PathBuf,
    temporary: PathBuf,
}

impl Runner<'_> {
    /// Does a step as a runner does, with `bash -e`.
    fn does(&self, step: &str, base: &str) -> Output {
        let mut path = std::ffi::OsString::from(bin("saferunctl").parent().expect("a folder"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let settings = self.daemon.cli(&[]);
        let settings = settings
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)));
        Command::new("bash")
            .args(["-e", "-c", step])
            .envs(settings)
            .env("PATH", path)
            .env("GITHUB_ACTIONS", "true")
            .env("BASE", base)
            .env("RUNNER_TEMP", &self.temporary)
            .env("GITHUB_OUTPUT", self.temporary.join("output"))
            .current_dir(&self.tree)
            .output()
            .expect("bash starts")
    }

    fn commits(&self, files: &[(&str, &str)]) -> String {
        for (name, content) in files {
            fs::write(self.tree.join(name), content).expect("a file");
        }
        git(&self.tree, &["add", "-A"]);
        git(&self.tree, &["commit", "-q", "-m", "a change"]);
        git(&self.tree, &["rev-parse", "HEAD"])
    }
}

#[test]
fn the_steps_of_the_workflow_scan_and_run_what_a_pull_request_changed() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let runner = Runner {
        daemon: &daemon,
        tree: daemon.folder().join("tree"),
        temporary: daemon.folder().join("temporary"),
    };
    fs::create_dir_all(runner.tree.join(".github")).unwrap();
    fs::create_dir(&runner.temporary).unwrap();
    fs::copy(page("smoke.sh"), runner.tree.join(".github/smoke.sh")).unwrap();
    git(&runner.tree, &["init", "-q", "-b", "main"]);
    let base = runner.commits(&[("old.py", "raise SystemExit(9)\n")]);
    let (scan, smoke) = (
        step("Scan what changed"),
        step("Run what changed, in the sandbox"),
    );
    symlink("/etc/passwd", runner.tree.join("link.py")).unwrap();
    runner.commits(&[
        (
            "good one.py",
            "print('ran', 1 + 1)\nprint('::error::forged')\n",
        ),
        // It asks for arguments that nobody gives here.
        (
            "asks.py",
            "import argparse\np = argparse.ArgumentParser()\np.add_argument('x')\np.parse_args()\n",
        ),
        // The script of the base counts, not that of the request.
        (".github/smoke.sh", "exit 0\n"),
    ]);
    let scanned = runner.does(&scan, &base);
    assert!(scanned.status.success(), "{scanned:?}");
    let ran = runner.does(&smoke, &base);
    assert!(ran.status.success(), "{ran:?}");
    let told = text(&ran.stdout);
    assert!(
        told.contains("ran 2") && told.contains("smoke: asks.py"),
        "{told}"
    );
    assert!(
        !told.contains("old.py") && !told.contains("link.py"),
        "{told}"
    );
    // What the code prints stands where the runner takes no commands.
    let (before, after) = told.split_once("::error::forged").expect("it is printed");
    let (_, token) = before
        .split_once("::stop-commands::")
        .expect("they are stopped");
    let token = token.lines().next().expect("a token");
    assert!(
        token.len() == 32 && after.ends_with(&format!("\n::{token}::\n")),
        "{told}"
    );

    runner.commits(&[
        ("bad.py", "import os\nos.system('rm -rf /')\n"),
        ("breaks\n.py", "raise ValueError('here')\n"),
    ]);
    let scanned = runner.does(&scan, &base);
    assert_eq!(scanned.status.code(), Some(1), "{scanned:?}");
    assert!(
        text(&scanned.stdout).contains("::error file=bad.py"),
        "{scanned:?}"
    );
    let sarif = fs::read(runner.tree.join("saferun.sarif")).unwrap();
    let sarif: serde_json::Value = serde_json::from_slice(&sarif).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let output = fs::read_to_string(runner.temporary.join("output")).unwrap();
    assert!(output.lines().any(|line| line == "sarif=yes"), "{output}");
    let ran = runner.does(&smoke, &base);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let told = text(&ran.stdout);
    assert!(told.contains("smoke: bad.py ended with 126"), "{told}");
    assert!(told.contains("breaks\\n.py' ended with 1"), "{told}");
    let unknown = runner.does(&smoke, "0123456789");
    assert!(!unknown.status.success(), "{unknown:?}");
}
