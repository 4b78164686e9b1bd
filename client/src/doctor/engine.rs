//! The engine: is it there, may we use it, can it hold the limits, has it gVisor and the image.

use std::{
    env,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    check::Check,
    host::{as_root, on_path, service},
    http,
};

const ENGINE: &str = "container engine";
const WHY_ENGINE: &str = "it starts the containers that scripts run in";
const LIMITS: &str = "limits of the kernel";
const WHY_LIMITS: &str = "a limit that is not enforced is not granted: runs are refused";
const GVISOR: &str = "gVisor (runsc)";
const WHY_GVISOR: &str = "with it, risky scripts run on a kernel of their own";
const IMAGE: &str = "sandbox image";
const WHY_IMAGE: &str = "containers start from it";
/// Oldest API that the daemon can drive.
const OLDEST_API: (u32, u32) = (1, 41);

/// Where an engine that was installed by the distribution listens.
const USUAL: &str = "unix:///var/run/docker.sock";

/// What was found where an engine should be.
pub(super) enum Found {
    /// No Unix socket, but a port of this machine: the daemon alone asks there.
    Port(String),
    /// An address that the daemon does not take.
    Elsewhere(String),
    /// It does not answer.
    Silent(PathBuf, io::Error),
    /// It answers: its version, and its own account of what it can do.
    Answers(PathBuf, Value, io::Result<Value>),
}

impl Found {
    /// Why it does not answer; `None` if it does, or is elsewhere.
    pub(super) fn silence(&self) -> Option<ErrorKind> {
        match self {
            Self::Silent(_, error) => Some(error.kind()),
            _ => None,
        }
    }

    /// Whether it is where the distribution's own engine listens.
    pub(super) fn is_usual(&self) -> bool {
        match self {
            Self::Port(_) | Self::Elsewhere(_) => false,
            Self::Silent(socket, _) | Self::Answers(socket, ..) => {
                socket == Path::new("/var/run/docker.sock")
                    || socket == Path::new("/run/docker.sock")
            }
        }
    }

    /// Whether gVisor is registered with it.
    pub(super) fn has_gvisor(&self) -> bool {
        matches!(self, Self::Answers(_, _, Ok(info)) if info["Runtimes"].get("runsc").is_some())
    }
}

/// Looks for the engine. `address` is what the daemon uses, if it runs.
pub(super) fn find(address: Option<&str>) -> Found {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let running = address.is_some();
    let address = address
        .map(str::to_owned)
        .or_else(|| set("SAFERUN_ENGINE"))
        .or_else(|| set("DOCKER_HOST"));
    let address = address.unwrap_or_else(|| USUAL.to_owned());
    let Some(socket) = address.strip_prefix("unix://").map(PathBuf::from) else {
        let tls = set("DOCKER_TLS").or_else(|| set("DOCKER_TLS_VERIFY"));
        // A daemon that runs took its address, whatever this command's own variables say.
        return if running || is_port_here(&address, tls.is_some()) {
            Found::Port(address)
        } else {
            Found::Elsewhere(address)
        };
    };
    match http::get(&socket, "/version") {
        Ok(version) => {
            let info = http::get(&socket, "/info");
            Found::Answers(socket, version, info)
        }
        Err(error) => Found::Silent(socket, error),
    }
}

/// Whether this is a port of this machine in plain text, as the daemon takes it.
fn is_port_here(address: &str, tls: bool) -> bool {
    let rest = match address.split_once("://") {
        Some(("tcp", rest)) if !tls => rest,
        Some(("http", rest)) => rest,
        _ => return false,
    };
    let host = rest.split('/').next().unwrap_or_default();
    let host = match host.rsplit_once(':') {
        Some((before, port)) if !port.ends_with(']') => before,
        _ => host,
    };
    ["127.0.0.1", "localhost", "[::1]"].contains(&host)
}

/// All checks of the engine.
pub(super) fn checks(found: &Found) -> Vec<Check> {
    let (socket, version, info) = match found {
        Found::Port(address) => {
            return vec![Check::advisory(
                ENGINE,
                WHY_ENGINE,
                format!("whether it answers at {address} says the daemon"),
                "saferunctl status",
            )];
        }
        Found::Elsewhere(address) => {
            return vec![Check::missing(
                ENGINE,
                WHY_ENGINE,
                format!(
                    "{address} is no socket or unprotected port of this machine, and the daemon takes nothing else"
                ),
                "forward the engine's socket: ssh -nNT -L /PATH/engine.sock:/var/run/docker.sock USER@HOST, and set SAFERUN_ENGINE=unix:///PATH/engine.sock",
            )];
        }
        Found::Silent(socket, error) => {
            let mut checks = vec![unreachable(socket, error)];
            if on_path("runsc").is_none() {
                checks.push(Check::advisory(
                    GVISOR,
                    WHY_GVISOR,
                    "not installed",
                    as_root("apt-get install runsc"),
                ));
            }
            return checks;
        }
        Found::Answers(socket, version, info) => (socket, version, info),
    };
    let mut checks = vec![engine(socket, version)];
    match info {
        Ok(info) => checks.extend([limits(info), gvisor(info)]),
        Err(error) => checks.push(Check::missing(
            LIMITS,
            WHY_LIMITS,
            format!("the engine does not say: {error}"),
            service("restart"),
        )),
    }
    checks
}

/// Whether the image is there, asked of the engine itself. The daemon knows better, when it runs.
pub(super) fn image_without_daemon(found: &Found) -> Check {
    let (what, remedy) = match found {
        Found::Port(_) => (Ok(true), "saferunctl image list"),
        Found::Elsewhere(_) | Found::Silent(..) => {
            (Ok(false), "saferunctl image build, once the engine answers")
        }
        Found::Answers(socket, ..) => (
            // {"label":["org.saferun.variant=python"]}
            http::get(
                socket,
                "/images/json?filters=%7B%22label%22%3A%5B%22org.saferun.variant%3Dpython%22%5D%7D",
            )
            .map(|images| images.as_array().is_some_and(|images| !images.is_empty())),
            "saferunctl image build",
        ),
    };
    match what {
        Ok(true) => {
            let found = match found {
                Found::Answers(..) => "built; whether it is current says the daemon, and none runs",
                _ => "whether it is built says the daemon, and none runs",
            };
            Check::advisory(IMAGE, WHY_IMAGE, found, "saferunctl image list")
        }
        Ok(false) => Check::missing(IMAGE, WHY_IMAGE, "not built", remedy),
        Err(error) => Check::advisory(
            IMAGE,
            WHY_IMAGE,
            format!("the engine does not say: {error}"),
            remedy,
        ),
    }
}

/// Whether the image is there, as the daemon says.
pub(crate) fn image(images: &[saferun_protocol::ImageInfo]) -> Check {
    // Earlier builds may still stand beside the current one.
    let Some(image) = images
        .iter()
        .filter(|image| image.variant == "python")
        .max_by_key(|image| image.current)
    else {
        return Check::missing(
            IMAGE,
            WHY_IMAGE,
            "the daemon knows none",
            "saferunctl image build",
        );
    };
    match (&image.id, image.current) {
        (None, _) => Check::missing(IMAGE, WHY_IMAGE, "not built", "saferunctl image build"),
        (Some(_), false) => {
            Check::advisory(IMAGE, WHY_IMAGE, "out of date", "saferunctl image build")
        }
        (Some(_), true) => Check::ok(IMAGE, WHY_IMAGE, "built, current"),
    }
}

fn unreachable(socket: &Path, error: &io::Error) -> Check {
    let shown = socket.display();
    let (found, remedy) = match error.kind() {
        ErrorKind::NotFound => (
            format!("there is no socket {shown}"),
            format!(
                "install and start one: saferunctl doctor --fix, or {}; an engine that listens elsewhere is named by SAFERUN_ENGINE=unix:///PATH",
                as_root("apt-get install docker.io")
            ),
        ),
        ErrorKind::PermissionDenied => (
            format!("you may not use {shown}"),
            "sudo usermod -aG docker $USER, then log in again".to_owned(),
        ),
        ErrorKind::ConnectionRefused => (format!("nobody listens at {shown}"), service("start")),
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            (format!("it does not answer at {shown}"), service("restart"))
        }
        _ => (format!("{shown}: {error}"), service("restart")),
    };
    Check::missing(ENGINE, WHY_ENGINE, found, remedy)
}

fn engine(socket: &Path, version: &Value) -> Check {
    let text = |name: &str| version[name].as_str().unwrap_or("unknown").to_owned();
    let found = format!(
        "version {}, API {}, at {}",
        text("Version"),
        text("ApiVersion"),
        socket.display()
    );
    match api_version(&text("ApiVersion")) {
        Some(api) if api >= OLDEST_API => Check::ok(ENGINE, WHY_ENGINE, found),
        _ => Check::missing(
            ENGINE,
            WHY_ENGINE,
            found,
            "install an engine with API 1.41 or later (Docker 20.10)",
        ),
    }
}

fn api_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn limits(info: &Value) -> Check {
    let lacks: Vec<_> = [
        ("MemoryLimit", "memory"),
        ("SwapLimit", "swap"),
        ("CpuCfsQuota", "cpu"),
        ("PidsLimit", "pids"),
    ]
    .into_iter()
    .filter(|(key, _)| info[*key].as_bool() != Some(true))
    .map(|(_, name)| name)
    .collect();
    let version = info["CgroupVersion"].as_str().unwrap_or("1");
    if lacks.is_empty() {
        return Check::ok(
            LIMITS,
            WHY_LIMITS,
            format!("memory, swap, cpu and pids, cgroup version {version}"),
        );
    }
    Check::missing(
        LIMITS,
        WHY_LIMITS,
        format!("cgroup version {version} without {}", lacks.join(", ")),
        "add cgroup_enable=memory swapaccount=1 to the kernel's command line, then restart the machine",
    )
}

fn gvisor(info: &Value) -> Check {
    if info["Runtimes"].get("runsc").is_some() {
        return Check::ok(GVISOR, WHY_GVISOR, "registered with the engine");
    }
    Check::advisory(
        GVISOR,
        WHY_GVISOR,
        "not registered with the engine",
        format!(
            "saferunctl doctor --fix, or: {}, add \"runtimes\": {{\"runsc\": {{\"path\": \"/usr/bin/runsc\", \"runtimeArgs\": [\"--network=none\"]}}}} to /etc/docker/daemon.json, {}",
            as_root("apt-get install runsc"),
            service("restart")
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::check::State;

    #[test]
    fn versions_are_compared_as_numbers() {
        let state =
            |api: &str| engine(Path::new("/s"), &json!({"Version": "x", "ApiVersion": api})).state;
        assert_eq!(state("1.41"), State::Ok);
        assert_eq!(state("1.100"), State::Ok);
        assert_eq!(state("1.9"), State::Missing);
        assert_eq!(state("?"), State::Missing);
    }

    #[test]
    fn a_limit_that_the_kernel_lacks_is_named() {
        let mut info = json!({"MemoryLimit": true, "SwapLimit": false, "CpuCfsQuota": true, "PidsLimit": true});
        assert!(limits(&info).found.ends_with("without swap"));
        info["SwapLimit"] = true.into();
        assert_eq!(limits(&info).state, State::Ok);
    }

    #[test]
    fn only_a_port_of_this_machine_in_plain_text_is_taken() {
        for good in [
            "tcp://127.0.0.1:2375",
            "http://localhost:2375/",
            "tcp://[::1]:2375",
            "tcp://[::1]",
            "tcp://127.0.0.1",
        ] {
            assert!(is_port_here(good, false), "{good}");
        }
        for bad in [
            "tcp://127.0.0.1.example:2375",
            "tcp://build.example:2375",
            "https://localhost:2376",
            "ssh://me@localhost",
            "/var/run/docker.sock",
        ] {
            assert!(!is_port_here(bad, false), "{bad}");
        }
        assert!(!is_port_here("tcp://127.0.0.1:2376", true));
        let checks = checks(&Found::Elsewhere("ssh://me@build.example".to_owned()));
        assert_eq!(checks[0].state, State::Missing);
        assert!(checks[0].remedy.as_ref().unwrap().contains("ssh -nNT"));
    }

    #[test]
    fn each_way_of_not_answering_has_its_own_remedy() {
        let remedy = |kind: ErrorKind| unreachable(Path::new("/s"), &kind.into()).remedy.unwrap();
        assert!(remedy(ErrorKind::NotFound).contains("docker.io"));
        assert!(remedy(ErrorKind::PermissionDenied).contains("usermod"));
        let start = remedy(ErrorKind::ConnectionRefused);
        assert!(start.ends_with(" start docker") || start.ends_with(" docker start"));
    }
}
