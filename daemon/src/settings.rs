//! Settings of the daemon, all from `SAFERUN_*`. Reads the environment and nothing else.

use std::{env, path::PathBuf, time::Duration};

use saferun_policy::Source;
use saferun_policy_files::Places;
use saferun_protocol::{SocketPathError, socket_path};

/// A setting cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The socket's path.
    #[error(transparent)]
    Socket(#[from] SocketPathError),
    /// A number that is none, or out of its range.
    #[error("{name} is `{value}`: give a whole number from {low} to {high}")]
    Number {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// Smallest.
        low: usize,
        /// Largest.
        high: usize,
    },
    /// A folder of policy files.
    #[error(transparent)]
    Place(#[from] saferun_policy_files::PlaceError),
    /// A variable that sets the policy has a mistake.
    #[error("a variable that sets the policy has a mistake: {0}")]
    Policy(saferun_policy::Diagnostics),
    /// An engine on another machine that cannot be spoken to safely.
    #[error(
        "the engine at {address} is {what}: forward its socket with `ssh -nNT -L /PATH/engine.sock:/var/run/docker.sock USER@HOST` and set SAFERUN_ENGINE=unix:///PATH/engine.sock"
    )]
    Remote {
        /// Its address.
        address: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// No folder for the state.
    #[error("no home folder is known: set SAFERUN_STATE_DIR")]
    NoStateDir,
    /// The path must be absolute.
    #[error("{name} is `{value}`, which is not an absolute path")]
    NotAbsolute {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
    },
}

/// How long a daemon that stops waits for its containers to be gone.
pub(crate) const DRAIN: Duration = Duration::from_secs(20);

/// Everything that the daemon can be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub socket: PathBuf,
    /// Address of the engine, as `unix:///var/run/docker.sock`.
    pub engine: String,
    /// Folder of the journal and the lock.
    pub state_dir: PathBuf,
    /// Warm containers kept for the default policy; 0 keeps none warm until the first run.
    pub pool_size: usize,
    /// Most containers alive at once.
    pub max_containers: usize,
    /// Where the policy files are.
    pub places: Places,
    /// Settings of the policy in the environment.
    pub variables: Vec<Source>,
    /// The supervisor's binary, which goes into the image.
    pub supervisor: PathBuf,
    /// Where the system journal listens; it is told of the record's last link.
    pub system_journal: Option<PathBuf>,
    /// How long a drain may take.
    pub drain: Duration,
}

/// The socket of systemd-journald.service(8).
const SYSTEM_JOURNAL: &str = "/run/systemd/journal/socket";

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`SettingsError`] for each value that cannot be used.
    pub fn from_env() -> Result<Self, SettingsError> {
        let state_dir = match path("SAFERUN_STATE_DIR")? {
            Some(dir) => dir,
            None => default_state_dir()?,
        };
        let engine = text("SAFERUN_ENGINE")
            .or_else(|| text("DOCKER_HOST"))
            .unwrap_or_else(|| "unix:///var/run/docker.sock".to_owned());
        let tls = ["DOCKER_TLS", "DOCKER_TLS_VERIFY"].map(text);
        reachable(&engine, tls.iter().flatten().next().is_some())?;
        let supervisor = match path("SAFERUN_INIT")? {
            Some(path) => path,
            None => beside_the_daemon("saferun-init"),
        };
        let variables = saferun_policy_files::variables(env::vars_os());
        saferun_policy::load(&variables).map_err(SettingsError::Policy)?;
        Ok(Self {
            socket: socket_path()?,
            engine,
            state_dir,
            pool_size: number("SAFERUN_POOL_SIZE", 4, 0, 64)?,
            max_containers: number("SAFERUN_MAX_CONTAINERS", 24, 1, 200)?,
            places: Places::from_env()?,
            variables,
            supervisor,
            system_journal: Some(
                path("SAFERUN_SYSTEM_JOURNAL")?.unwrap_or_else(|| PathBuf::from(SYSTEM_JOURNAL)),
            ),
            drain: DRAIN,
        })
    }
}

/// Whether the daemon may speak to an engine at this address: over a socket, or in plain text to this machine.
///
/// Who speaks to an engine is root there, so nothing of it goes over a network unprotected; and TLS is not spoken.
fn reachable(address: &str, tls: bool) -> Result<(), SettingsError> {
    let refused = |what| {
        Err(SettingsError::Remote {
            address: address.to_owned(),
            what,
        })
    };
    let Some((scheme, rest)) = address.split_once("://") else {
        return refused("no address: one begins with unix://");
    };
    let host = rest.split('/').next().unwrap_or_default();
    let host = match host.rsplit_once(':') {
        Some((before, port)) if !port.ends_with(']') => before,
        _ => host,
    };
    match scheme {
        "unix" => Ok(()),
        "https" => refused("reached over TLS, which SafeRun does not speak"),
        "tcp" if tls => refused("reached over TLS, which SafeRun does not speak"),
        "tcp" | "http" if ["127.0.0.1", "localhost", "[::1]"].contains(&host) => Ok(()),
        "tcp" | "http" => refused("on another machine, and root there without any protection"),
        "ssh" => refused("reached over SSH, which SafeRun does not start"),
        _ => refused("reached in a way that SafeRun does not know"),
    }
}

fn text(name: &'static str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn path(name: &'static str) -> Result<Option<PathBuf>, SettingsError> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let path = PathBuf::from(value);
    if path.is_absolute() {
        Ok(Some(path))
    } else {
        Err(SettingsError::NotAbsolute {
            name,
            value: path.display().to_string(),
        })
    }
}

fn number(
    name: &'static str,
    default: usize,
    low: usize,
    high: usize,
) -> Result<usize, SettingsError> {
    let Some(value) = text(name) else {
        return Ok(default);
    };
    match value.parse() {
        Ok(number) if (low..=high).contains(&number) => Ok(number),
        _ => Err(SettingsError::Number {
            name,
            value,
            low,
            high,
        }),
    }
}

fn default_state_dir() -> Result<PathBuf, SettingsError> {
    use etcetera::BaseStrategy;
    let strategy = etcetera::choose_base_strategy().map_err(|_| SettingsError::NoStateDir)?;
    let base = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
    Ok(base.join("saferun"))
}

fn beside_the_daemon(name: &str) -> PathBuf {
    let folder = env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(PathBuf::from));
    folder
        .unwrap_or_else(|| PathBuf::from("/usr/libexec/saferun"))
        .join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_elsewhere_are_refused_with_the_way_to_reach_them() {
        for good in [
            "unix:///var/run/docker.sock",
            "tcp://127.0.0.1:2375",
            "http://localhost:2375/",
            "tcp://[::1]:2375",
            "tcp://[::1]",
        ] {
            assert!(reachable(good, false).is_ok(), "{good}");
        }
        for (bad, tls, why) in [
            ("tcp://build.example:2376", true, "TLS"),
            ("tcp://127.0.0.1:2376", true, "TLS"),
            ("https://build.example", false, "TLS"),
            ("tcp://build.example:2375", false, "without any protection"),
            (
                "tcp://127.0.0.1.example:2375",
                false,
                "without any protection",
            ),
            ("ssh://me@build.example", false, "SSH"),
            ("npipe:////./pipe/docker", false, "does not know"),
            ("/var/run/docker.sock", false, "unix://"),
        ] {
            let said = reachable(bad, tls).unwrap_err().to_string();
            assert!(
                said.contains(why) && said.contains("ssh -nNT"),
                "{bad}: {said}"
            );
        }
        assert!(reachable("unix:///s", true).is_ok(), "TLS is for TCP");
    }
}
