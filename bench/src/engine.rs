//! The engine's own API over its socket, without a client of ours between: what a container of ours is made with, and
//! how fast the engine makes such ones.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// Where the engine listens.
#[derive(Debug, Clone)]
pub(crate) struct Engine(PathBuf);

impl Engine {
    /// From an address as `unix:///var/run/docker.sock`.
    pub(crate) fn at(address: &str) -> Result<Self> {
        let path = address
            .strip_prefix("unix://")
            .with_context(|| format!("the engine at {address} has no socket on this machine"))?;
        Ok(Self(PathBuf::from(path)))
    }

    /// All settings of a container.
    pub(crate) fn inspect(&self, id: &str) -> Result<Value> {
        self.call("GET", &format!("/containers/{id}/json"), None)
    }

    /// Creates a container, starts it, reads its output to the end, waits for it and removes it.
    pub(crate) fn run_once(&self, body: &Value, output: &[u8]) -> Result<()> {
        let made = self.call("POST", "/containers/create", Some(body))?;
        let id = made["Id"].as_str().context("no id")?;
        let ran = self.output(id).and_then(|said| {
            let ended = self.call("POST", &format!("/containers/{id}/wait"), None)?;
            Ok((said, ended))
        });
        self.call("DELETE", &format!("/containers/{id}?force=1"), None)?;
        let (said, ended) = ran?;
        let code = &ended["StatusCode"];
        ensure!(*code == 0, "the container ended with {code}");
        ensure!(
            said == output,
            "it said {:?}",
            String::from_utf8_lossy(&said)
        );
        Ok(())
    }

    /// Attaches to a container, starts it, and reads what it writes to its end.
    fn output(&self, id: &str) -> Result<Vec<u8>> {
        let mut stream = self.connect()?;
        write!(
            stream,
            "POST /containers/{id}/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: docker\r\n\
             Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        let head = loop {
            let mut piece = [0; 4096];
            let count = stream.read(&mut piece)?;
            ensure!(count > 0, "the engine ended an attach");
            answer.extend_from_slice(&piece[..count]);
            if let Some(at) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        ensure!(
            answer.starts_with(b"HTTP/1.1 101"),
            "attach: {}",
            String::from_utf8_lossy(&answer[..head])
        );
        self.call("POST", &format!("/containers/{id}/start"), None)?;
        let mut frames = answer.split_off(head);
        stream.read_to_end(&mut frames)?;
        payloads(&frames)
    }

    fn connect(&self) -> Result<UnixStream> {
        let stream = UnixStream::connect(&self.0)
            .with_context(|| format!("no engine at {}", self.0.display()))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(stream)
    }

    /// One request, in HTTP/1.0: the answer is whole when the engine closes the connection.
    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut stream = self.connect()?;
        let body = body.map(Value::to_string).unwrap_or_default();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let text = String::from_utf8_lossy(&answer);
        let (head, rest) = text.split_once("\r\n\r\n").context("no HTTP answer")?;
        let status = head.split_whitespace().nth(1).unwrap_or_default();
        ensure!(status.starts_with('2'), "{method} {path}: {status} {rest}");
        if rest.trim().is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_str(rest)?)
    }
}

/// What is in the frames of an attached stream: each has a head of eight bytes, the last four of them its length, big
/// endian.
fn payloads(frames: &[u8]) -> Result<Vec<u8>> {
    let mut output = Vec::new();
    let mut rest = frames;
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let (payload, after) = after
            .split_at_checked(usize::try_from(length)?)
            .context("a frame is cut off")?;
        output.extend_from_slice(payload);
        rest = after;
    }
    ensure!(rest.is_empty(), "a frame's head is cut off");
    Ok(output)
}

/// The settings of one of our containers, read back from the engine.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    config: Value,
    host: Value,
}

impl Settings {
    /// From what the engine tells of a container.
    pub(crate) fn of(inspected: &Value) -> Self {
        Self {
            config: inspected["Config"].clone(),
            host: inspected["HostConfig"].clone(),
        }
    }

    /// The same container with Python instead of the supervisor, for the engine's API.
    pub(crate) fn body(&self, source: &str) -> Value {
        let mut body = self.config.clone();
        // Its labels would have a daemon take it for its own.
        body["Labels"] = json!({});
        body["Entrypoint"] = json!(["/usr/bin/python3", "-c", source]);
        body["Cmd"] = Value::Null;
        body["HostConfig"] = self.host.clone();
        body
    }

    /// The same settings as flags of `docker run`; the seccomp profile is written to a file beside them.
    ///
    /// What `docker run` has no flag for: `NetworkDisabled`, and lists of masked and read-only paths.
    pub(crate) fn flags(&self, folder: &Path) -> Result<Vec<String>> {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut flags = vec!["--no-healthcheck".to_owned()];
        let mut add = |flag: &str, value: String| flags.push(format!("--{flag}={value}"));
        add("hostname", text(&self.config["Hostname"]));
        add("user", text(&self.config["User"]));
        add("stop-signal", text(&self.config["StopSignal"]));
        for (flag, key) in [
            ("network", "NetworkMode"),
            ("runtime", "Runtime"),
            ("memory", "Memory"),
            ("memory-swap", "MemorySwap"),
            ("memory-swappiness", "MemorySwappiness"),
            ("cpu-period", "CpuPeriod"),
            ("cpu-quota", "CpuQuota"),
            ("pids-limit", "PidsLimit"),
            ("oom-score-adj", "OomScoreAdj"),
            ("read-only", "ReadonlyRootfs"),
            ("shm-size", "ShmSize"),
            ("ipc", "IpcMode"),
            ("cgroupns", "CgroupnsMode"),
        ] {
            if !self.host[key].is_null() {
                add(flag, text(&self.host[key]));
            }
        }
        add("log-driver", text(&self.host["LogConfig"]["Type"]));
        for limit in self.host["Ulimits"].as_array().into_iter().flatten() {
            let [name, soft, hard] = ["Name", "Soft", "Hard"].map(|key| text(&limit[key]));
            add("ulimit", format!("{name}={soft}:{hard}"));
        }
        for (path, options) in self.host["Tmpfs"].as_object().into_iter().flatten() {
            add("tmpfs", format!("{path}:{}", text(options)));
        }
        for name in self.host["CapDrop"].as_array().into_iter().flatten() {
            add("cap-drop", text(name));
        }
        for option in self.host["SecurityOpt"].as_array().into_iter().flatten() {
            let option = text(option);
            if let Some(profile) = option.strip_prefix("seccomp=") {
                let path = folder.join("seccomp.json");
                std::fs::write(&path, profile)?;
                add("security-opt", format!("seccomp={}", path.display()));
            } else {
                add("security-opt", option);
            }
        }
        Ok(flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::of(&json!({
            "Config": {"Hostname": "sandbox", "User": "7:7", "StopSignal": "SIGKILL", "OpenStdin": true, "Labels": {"a": "b"}},
            "HostConfig": {
                "NetworkMode": "none", "Memory": 5, "ReadonlyRootfs": true, "LogConfig": {"Type": "none"},
                "Ulimits": [{"Name": "core", "Soft": 0, "Hard": 0}], "Tmpfs": {"/tmp": "rw,size=1"},
                "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges:true", "seccomp={\"a\":1}"],
            },
        }))
    }

    #[test]
    fn a_containers_settings_become_flags() {
        let folder = tempfile::tempdir().unwrap();
        let flags = settings().flags(folder.path()).unwrap();
        for flag in [
            "--user=7:7",
            "--network=none",
            "--memory=5",
            "--read-only=true",
            "--ulimit=core=0:0",
            "--tmpfs=/tmp:rw,size=1",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges:true",
        ] {
            assert!(flags.iter().any(|given| given == flag), "{flag}: {flags:?}");
        }
        assert!(
            !flags.iter().any(|flag| flag.contains("null")),
            "what is not set is not given: {flags:?}"
        );
        let profile = std::fs::read_to_string(folder.path().join("seccomp.json")).unwrap();
        assert_eq!(profile, "{\"a\":1}");
    }

    #[test]
    fn no_daemon_takes_the_copy_for_its_own() {
        let body = settings().body("pass");
        assert_eq!(body["Labels"], json!({}));
        assert_eq!(body["OpenStdin"], true, "its streams are set up like ours");
        assert_eq!(body["HostConfig"]["Memory"], 5);
        assert_eq!(body["Entrypoint"][2], "pass");
    }

    #[test]
    fn an_attached_streams_frames_are_joined() {
        let frames = b"\x01\0\0\0\0\0\0\x02hi\x01\0\0\0\0\0\0\x01\n";
        assert_eq!(payloads(frames).unwrap(), b"hi\n");
        assert_eq!(payloads(b"").unwrap(), b"");
        for cut in [1, 7, 9, frames.len() - 1] {
            assert!(payloads(&frames[..cut]).is_err(), "{cut}");
        }
    }
}
