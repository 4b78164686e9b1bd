//! From what is there to what is to be done, in order. Pure: reads nothing and starts nothing.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Where Debian's package puts gVisor.
const RUNSC: &str = "/usr/bin/runsc";
/// Settings of the engine that a distribution installs.
pub(super) const ENGINE_SETTINGS: &str = "/etc/docker/daemon.json";

/// Has an engine that `service` started read its settings again.
const HANG_UP: [&str; 8] = [
    "start-stop-daemon",
    "--stop",
    "--signal",
    "HUP",
    "--pidfile",
    "/var/run/docker.pid",
    "--name",
    "dockerd",
];

/// What the plan depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// How packages come onto this machine.
    pub(super) packages: Packages,
    /// Whether this process is root.
    pub(super) root: bool,
    /// Whether `sudo` is there.
    pub(super) sudo: bool,
    /// Who will run scripts; `None` for root himself.
    pub(super) user: Option<String>,
    /// Whether that user is in the engine's group.
    pub(super) in_group: bool,
    /// Whether systemd is the service manager.
    pub(super) systemd: bool,
    /// Why the engine does not answer, if it does not.
    pub(super) silence: Option<ErrorKind>,
    /// Whether it is, or would be, the distribution's own engine.
    pub(super) usual: bool,
    /// Whether the engine's program is there.
    pub(super) engine_program: bool,
    /// Process id of the distribution's engine, if it runs.
    pub(super) engine_pid: Option<u32>,
    /// Whether the engine's start script of a machine without systemd is there.
    pub(super) start_script: bool,
    /// gVisor's program, if it is there.
    pub(super) runsc: Option<PathBuf>,
    /// Whether the engine knows gVisor.
    pub(super) registered: bool,
    /// The engine's settings; `None` if there is no such file, an error if it cannot be extended.
    pub(super) settings: Result<Option<String>, String>,
    /// Programs that the building of images needs and that are not there, by their Debian package.
    pub(super) build_tools: Vec<&'static str>,
    /// Whether the image `python` is there and current; `None` if nobody could be asked.
    pub(super) image: Option<bool>,
}

/// How packages come onto a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Packages {
    /// Debian, Ubuntu and what is made of them.
    Apt,
    /// Another distribution whose command for the engine is known: the command.
    Known(&'static str),
    /// Nothing is known.
    Unknown,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A command of this machine.
    Run {
        /// What it is for.
        what: String,
        /// The command, without `sudo`.
        argv: Vec<String>,
        /// Whether root must do it.
        root: bool,
        /// Whether what follows goes on when it fails.
        optional: bool,
        /// Only if this file is there by then.
        only_with: Option<PathBuf>,
    },
    /// The engine's settings get these contents; the old ones are kept beside them.
    Settings {
        /// The whole file.
        contents: String,
        /// Only if this file is there by then.
        only_with: PathBuf,
    },
    /// The engine was started by a command that does not wait for it: wait until it answers.
    Await,
    /// `saferunctl` itself builds the image.
    Image,
    /// The user does it: what, and how.
    Tell(String, String),
}

/// The steps, in order. None: nothing that this command could mend is missing.
pub(super) fn plan(facts: &Facts) -> Vec<Step> {
    let mut steps = Vec::new();
    let able = facts.root || facts.sudo;
    install(facts, able, &mut steps);
    let new_member = join_group(facts, able, &mut steps);
    let answers = start(facts, able, &mut steps);
    register(facts, able, &mut steps);
    if facts.image == Some(true) {
        return steps;
    }
    let build = "saferunctl image build";
    let gets_tools = facts.packages == Packages::Apt && able;
    if !answers {
        let how = format!("{build}, once the engine runs");
        steps.push(Step::Tell("build the sandbox image".to_owned(), how));
    } else if new_member || (facts.root && facts.user.is_some()) {
        // The group counts from the next login on, and root's daemon is not the user's.
        let user = facts.user.as_deref().unwrap_or("the user");
        let how = format!("log in again as {user}, then: {build}");
        steps.push(Step::Tell("build the sandbox image".to_owned(), how));
    } else if !(facts.build_tools.is_empty() || gets_tools) {
        let how = format!("{build}, once {} is there", facts.build_tools.join(", "));
        steps.push(Step::Tell("build the sandbox image".to_owned(), how));
    } else {
        steps.push(Step::Image);
    }
    steps
}

/// Packages: what nothing works without, then gVisor, which some releases lack.
fn install(facts: &Facts, able: bool, steps: &mut Vec<Step>) {
    let engine = facts.silence.is_some() && facts.usual && !facts.engine_program;
    let mut names: Vec<&str> = facts.build_tools.clone();
    if engine {
        names.insert(0, "docker.io");
    }
    match facts.packages {
        Packages::Apt => {
            let gvisor = facts.usual && facts.runsc.is_none() && !facts.registered;
            if names.is_empty() && !gvisor {
                return;
            }
            let update = ["apt-get", "-q", "update"].map(str::to_owned).to_vec();
            act(steps, able, "ask which packages there are", update, false);
            if !names.is_empty() {
                let what = format!("install {}", names.join(", "));
                act(steps, able, &what, apt(&names), false);
            }
            if gvisor {
                let what = "install gVisor, which risky scripts run in";
                act(steps, able, what, apt(&["runsc"]), true);
            }
        }
        Packages::Known(command) if engine => tell(steps, "install the container engine", command),
        Packages::Unknown if engine => tell(
            steps,
            "install a container engine",
            "Docker Engine 20.10 or later, as https://docs.docker.com/engine/install says",
        ),
        _ => {}
    }
    if facts.packages != Packages::Apt && !facts.build_tools.is_empty() {
        let how = format!(
            "get {} from your distribution; where it has none, build the image on a Debian machine or from sandbox-image/Dockerfile",
            facts.build_tools.join(", ")
        );
        steps.push(Step::Tell("install what builds images".to_owned(), how));
    }
}

/// Says whether the user will be new in the group.
fn join_group(facts: &Facts, able: bool, steps: &mut Vec<Step>) -> bool {
    let Some(user) = facts.user.as_ref() else {
        return false;
    };
    let denied = facts.silence == Some(ErrorKind::PermissionDenied);
    let fresh = facts.silence.is_some() && !facts.engine_program;
    if facts.in_group && denied {
        let how = "log out and in again: the group docker counts from the next login on";
        tell(steps, "use the engine", how);
        return true;
    }
    if facts.in_group || !facts.usual || !(denied || fresh || facts.root) {
        return false;
    }
    let argv = ["usermod", "-a", "-G", "docker", user].map(str::to_owned);
    let what = format!(
        "let {user} use the engine: who is in the group docker can become root on this machine"
    );
    act(steps, able, &what, argv.to_vec(), false);
    true
}

/// Says whether the engine answers afterwards.
fn start(facts: &Facts, able: bool, steps: &mut Vec<Step>) -> bool {
    match facts.silence {
        None => return true,
        Some(ErrorKind::PermissionDenied) => return facts.usual,
        Some(_) => {}
    }
    let what = "start the container engine";
    if !facts.usual {
        let how = "start the engine that SAFERUN_ENGINE or DOCKER_HOST names, or unset them";
        tell(steps, what, how);
        return false;
    }
    if facts.systemd {
        let argv = ["systemctl", "enable", "--now", "docker"].map(str::to_owned);
        act(steps, able, what, argv.to_vec(), false);
        return able && (facts.packages == Packages::Apt || facts.engine_program);
    }
    if has_start_script(facts) {
        let argv = ["service", "docker", "start"].map(str::to_owned);
        act(steps, able, what, argv.to_vec(), false);
        if able {
            steps.push(Step::Await);
        }
        return able;
    }
    let how = match (facts.root, facts.sudo) {
        (true, _) => "dockerd",
        (false, true) => "sudo dockerd",
        (false, false) => "as root: dockerd",
    };
    tell(steps, what, how);
    false
}

/// Whether `service` can start the engine by the time it is asked to: Debian's package brings the script.
fn has_start_script(facts: &Facts) -> bool {
    !facts.systemd
        && (facts.start_script || (facts.packages == Packages::Apt && !facts.engine_program))
}

/// Tells the engine of gVisor. It is asked to read its settings again: a restart would end other people's containers.
fn register(facts: &Facts, able: bool, steps: &mut Vec<Step>) {
    let default = (facts.packages == Packages::Apt).then(|| PathBuf::from(RUNSC));
    let Some(runsc) = facts.runsc.clone().or(default) else {
        return;
    };
    if facts.registered || !facts.usual {
        return;
    }
    let what = "register gVisor with the engine";
    let old = match &facts.settings {
        Ok(old) => old.as_deref(),
        Err(why) => {
            let how = format!("{ENGINE_SETTINGS} {why}: add {} yourself", entry());
            return tell(steps, what, &how);
        }
    };
    if old.is_some_and(names_gvisor) {
        // Whoever wrote that had reasons for its path and options: the engine may only not have read it yet.
        return tell(
            steps,
            what,
            "it stands in the engine's settings already: have the engine read them again, as with `systemctl reload docker`",
        );
    }
    let Some(settings) = with_gvisor(old, &runsc) else {
        let how = format!(
            "{ENGINE_SETTINGS} is no JSON object: mend it, then add {}",
            entry()
        );
        return tell(steps, what, &how);
    };
    if !able {
        let how = format!("as root, write to {ENGINE_SETTINGS}: {settings}");
        return tell(steps, what, how.trim_end());
    }
    steps.push(Step::Settings {
        contents: settings,
        only_with: runsc.clone(),
    });
    let argv = match (facts.systemd, facts.engine_pid) {
        (true, _) => ["systemctl", "reload", "docker"]
            .map(str::to_owned)
            .to_vec(),
        (false, Some(pid)) => vec!["kill".to_owned(), "-HUP".to_owned(), pid.to_string()],
        // It was started a step before, or by its package: only then is its process id known.
        (false, None) if facts.silence.is_some() && has_start_script(facts) => {
            HANG_UP.map(str::to_owned).to_vec()
        }
        // It reads them when it starts.
        (false, None) => return,
    };
    steps.push(Step::Run {
        what: "have the engine read its settings again".to_owned(),
        argv,
        root: true,
        optional: true,
        only_with: Some(runsc),
    });
}

fn entry() -> &'static str {
    r#""runtimes": {"runsc": {"path": "/usr/bin/runsc", "runtimeArgs": ["--network=none"]}}"#
}

/// Whether the settings have an entry for it.
fn names_gvisor(settings: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(settings)
        .is_ok_and(|settings| settings["runtimes"]["runsc"].is_object())
}

/// The settings with gVisor added, as JSON; `None` if they are none.
fn with_gvisor(old: Option<&str>, runsc: &Path) -> Option<String> {
    let old = old.map(str::trim).filter(|old| !old.is_empty());
    let mut settings: serde_json::Value = serde_json::from_str(old.unwrap_or("{}")).ok()?;
    let runtimes = settings
        .as_object_mut()?
        .entry("runtimes")
        .or_insert_with(|| serde_json::json!({}));
    runtimes.as_object_mut()?.insert(
        "runsc".to_owned(),
        serde_json::json!({"path": runsc, "runtimeArgs": ["--network=none"]}),
    );
    Some(format!("{settings:#}\n"))
}

fn apt(names: &[&str]) -> Vec<String> {
    let start = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-q",
        "-y",
        "-o",
        "DPkg::Lock::Timeout=120",
        // Settings of an earlier engine stay, and nobody is asked about them.
        "-o",
        "DPkg::Options::=--force-confold",
        "--no-install-recommends",
        "install",
    ];
    start
        .iter()
        .chain(names)
        .map(|&word| word.to_owned())
        .collect()
}

fn act(steps: &mut Vec<Step>, able: bool, what: &str, argv: Vec<String>, optional: bool) {
    if !able {
        return tell(steps, what, &format!("as root: {}", argv.join(" ")));
    }
    steps.push(Step::Run {
        what: what.to_owned(),
        argv,
        root: true,
        optional,
        only_with: None,
    });
}

fn tell(steps: &mut Vec<Step>, what: &str, how: &str) {
    steps.push(Step::Tell(what.to_owned(), how.to_owned()));
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
