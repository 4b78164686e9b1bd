//! SIGKILL of the daemon, at a named step or a random moment, and what must hold once it is started again.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::Read,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use saferun_protocol::{ApiClient, HistoryQuery, Integrity, Outcome, RunRequest, connect};
use saferund::Step;
use tokio::task::JoinSet;

use crate::{Daemon, docker, text};

/// Everything that may stand in the state folder between two runs. What else is found was left behind.
const STATE_FILES: [&str; 14] = [
    "audit.head",
    "audit.sqlite",
    "audit.sqlite-shm",
    "audit.sqlite-wal",
    "build",
    "images",
    "journal.sqlite",
    "journal.sqlite-shm",
    "journal.sqlite-wal",
    "rates.sqlite",
    "rates.sqlite-shm",
    "rates.sqlite-wal",
    "saferund.lock",
    "wheels",
];

/// Everything that may stand in the folder of a test's daemon.
const BESIDE_THE_SOCKET: [&str; 6] = ["config", "etc", "log", "saferund.sock", "state", "tmp"];

/// A small generator, so that a failure can be played again from its seed (`SAFERUN_TEST_SEED`).
#[derive(Debug)]
pub struct Moments(u64);

impl Moments {
    /// From the seed that was given, else from a random one; prints it.
    ///
    /// # Panics
    /// If the system has no random numbers.
    #[must_use]
    #[expect(
        clippy::print_stderr,
        reason = "the seed must be seen to play a failure again"
    )]
    pub fn new() -> Self {
        let given = std::env::var("SAFERUN_TEST_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let mut bytes = [0; 8];
            File::open("/dev/urandom")
                .and_then(|mut file| file.read_exact(&mut bytes))
                .expect("random");
            u64::from_le_bytes(bytes)
        });
        eprintln!("SAFERUN_TEST_SEED={seed}");
        Self(seed | 1)
    }

    /// The next number below this one.
    pub fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

impl Default for Moments {
    fn default() -> Self {
        Self::new()
    }
}

/// Clients that ask for runs while the daemon is killed, and what they were told.
#[derive(Debug, Default)]
pub struct Witness {
    told: Arc<Mutex<HashMap<String, Outcome>>>,
    clients: JoinSet<()>,
}

impl Witness {
    /// One client more, which has this script run again and again until the daemon does not answer.
    ///
    /// # Panics
    /// If another client panicked.
    pub fn keep_running(&mut self, daemon: &Daemon, source: &'static str) {
        let (socket, told) = (daemon.socket(), Arc::clone(&self.told));
        let client = async move {
            let Ok(client) = connect(&socket).await else {
                return;
            };
            let mut request = RunRequest::new(source);
            request.policy = Some("permissive".to_owned());
            while let Ok(result) = client.run(request.clone()).await {
                let mut told = told.lock().expect("a lock");
                told.insert(result.id, result.status);
            }
        };
        daemon.block_on(async { self.clients.spawn(client) });
    }

    /// The ends that clients were told so far. All clients are gone afterwards.
    ///
    /// # Panics
    /// If a client does not notice within 60 s that the daemon is gone.
    pub fn dismiss(&mut self, daemon: &Daemon) -> HashMap<String, Outcome> {
        daemon.block_on(async {
            let gone = async { while self.clients.join_next().await.is_some() {} };
            tokio::time::timeout(Duration::from_secs(60), gone)
                .await
                .expect("the clients notice that the daemon is gone");
        });
        self.told.lock().expect("a lock").clone()
    }
}

/// What is looked at after a crash.
#[derive(Debug)]
pub struct Aftermath {
    /// When the daemon was dead, in milliseconds since 1970.
    died_ms: u128,
}

impl Aftermath {
    /// The daemon is dead since now.
    ///
    /// # Panics
    /// If the clock stands before 1970.
    #[must_use]
    pub fn now() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            died_ms: now.expect("a clock").as_millis(),
        }
    }

    /// Looks at the daemon that was started again: the record opens, verifies, has every end that a client was told
    /// and nothing open; no container and no file of the time before is left.
    ///
    /// # Panics
    /// If one of them does not hold. `what` says which crash it was.
    pub fn check(&self, daemon: &Daemon, what: &str, told: &HashMap<String, Outcome>) {
        daemon.wait_until("no container of the time before is left", |daemon| {
            daemon
                .names()
                .iter()
                .all(|name| born_ms(name) > self.died_ms)
        });
        let client = daemon.connect();
        let report = daemon
            .block_on(client.verify_history(None, None))
            .unwrap_or_else(|error| panic!("{what}: the record does not open: {error}"));
        assert_eq!(report.verdict, Integrity::Consistent, "{what}: {report:#?}");
        let recorded = daemon.recorded();
        for (id, outcome) in told {
            assert_eq!(recorded.get(id), Some(&Some(*outcome)), "{what}: run {id}");
        }
        let open = recorded.iter().filter(|(_, outcome)| outcome.is_none());
        assert_eq!(open.count(), 0, "{what}: a record is open");
        let left = strangers(daemon.folder());
        assert!(left.is_empty(), "{what}: left behind: {left:?}");
    }
}

/// Milliseconds since 1970 when this name of a container was made: they lead a UUID of version 7.
fn born_ms(name: &str) -> u128 {
    let id = name.strip_prefix("saferun-").and_then(|id| id.get(..12));
    u128::from_str_radix(id.unwrap_or("0"), 16).unwrap_or(0)
}

/// What stands where the daemon works, and should not: in its state folder and the folders of images and builds in it,
/// beside its socket, and in its folder of temporary files.
fn strangers(folder: &Path) -> Vec<String> {
    let state = folder.join("state");
    let mut found = others(folder, &BESIDE_THE_SOCKET);
    found.extend(others(&state, &STATE_FILES));
    found.extend(others(&state.join("build"), &[]));
    found.extend(others(&folder.join("tmp"), &[]));
    // Packages of images, and wheels, each whole; what was being written has another ending.
    for (kept, ending) in [("images", ".lock"), ("wheels", ".whl")] {
        let mut parts = others(&state.join(kept), &[]);
        parts.retain(|path| !path.ends_with(ending));
        found.append(&mut parts);
    }
    found
}

/// What is in a folder under other names than these; nothing where there is no such folder.
fn others(folder: &Path, known: &[&str]) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| !known.contains(&&*entry.file_name().to_string_lossy()))
        .map(|entry| entry.path().display().to_string())
        .collect()
}

impl Daemon {
    /// Starts a daemon that kills itself when it passes this step for the `time`th time, from 1. `program` is the
    /// daemon in the tests' build: `env!("CARGO_BIN_EXE_saferund-that-dies")`.
    #[must_use]
    pub fn start_dying_at(program: &str, step: Step, time: u32) -> Option<Self> {
        let at = format!("{}:{time}", step.name());
        Self::start_program(program.into(), &[("SAFERUN_TEST_DIE_AT", &at)])
    }

    /// Waits until it has killed itself.
    ///
    /// # Panics
    /// If it has not within 60 s, or ended in another way.
    pub fn wait_for_death(&mut self) -> Aftermath {
        use std::os::unix::process::ExitStatusExt;
        let mut ended = None;
        for _ in 0..3000 {
            ended = self.child.try_wait().expect("a child");
            if ended.is_some() {
                break;
            }
            crate::pause();
        }
        let signal = ended.and_then(|status| status.signal());
        assert_eq!(signal, Some(9), "it ended by itself: {ended:?}");
        Aftermath::now()
    }

    /// Ends it with SIGKILL, now.
    pub fn crash(&mut self) -> Aftermath {
        self.kill();
        Aftermath::now()
    }

    /// Starts it again over the same state; it does not kill itself any more.
    pub fn revive(&mut self) {
        self.environment
            .retain(|(name, _)| name != "SAFERUN_TEST_DIE_AT");
        self.restart();
    }

    /// Names of the containers that carry this daemon's instance id, by the engine's own word.
    fn names(&self) -> Vec<String> {
        let filter = format!("label=org.saferun.instance={}", self.instance());
        let format = "{{.Names}}";
        let list = docker(
            &self.engine,
            &["ps", "-a", "--format", format, "--filter", &filter],
        );
        assert!(list.status.success(), "{}", text(&list.stderr));
        text(&list.stdout).lines().map(str::to_owned).collect()
    }

    /// All recorded runs, each with its outcome if it has ended.
    ///
    /// # Panics
    /// If the record cannot be read.
    #[must_use]
    pub fn recorded(&self) -> HashMap<String, Option<Outcome>> {
        let client = self.connect();
        let (mut runs, mut query) = (HashMap::new(), HistoryQuery::default());
        query.limit = 1000;
        loop {
            let page = self
                .block_on(client.history(query.clone()))
                .expect("a page");
            runs.extend(page.runs.into_iter().map(|run| (run.id, run.outcome)));
            query.before = page.next;
            if query.before.is_none() {
                return runs;
            }
        }
    }
}
