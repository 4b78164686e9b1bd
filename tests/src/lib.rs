//! What the end-to-end tests share: a daemon of their own on a private socket and state folder, over
//! the engine that the test command found. Nothing here replaces a part of the product.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use saferun_protocol::{ApiClient, Client, RunRequest, RunResult, Status, connect};
use tempfile::TempDir;

mod attempt;
mod clock;
mod crash;
mod disk;
mod faults;
mod policy;
mod private_engine;
pub mod shown;
mod system_journal;
mod tools;

/// The end of a command line that traces a run which no policy stops, in the tier where the kernel's word is there.
pub const TRACED: [&str; 5] = ["--trace", "--policy", "permissive", "--runtime", "runc"];

/// A user without rights.
pub const NOBODY: u32 = 65_534;
/// Runs a program as that user, until the test ends.
pub const AS_NOBODY: [&str; 9] = [
    "setpriv",
    "--pdeathsig",
    "KILL",
    "--reuid",
    "65534",
    "--regid",
    "65534",
    "--clear-groups",
    "--",
];

pub use attempt::{ANSWERED, ask, attempt, permissive};
pub use clock::{Clock, Hands};
pub use crash::{Aftermath, Moments, Witness};
pub use disk::{HeldRecord, SmallDisk};
pub use faults::{Fault, FaultyEngine, StreamFault, over_a_faulty_engine};
use policy::FOR_SCRIPTS;
pub use policy::have_policy;
pub use private_engine::PrivateEngine;
pub use system_journal::SystemJournal;
pub use tools::{docker, git, long, pause, skipped, snapshot, text};

/// Where the binaries under test are: `SAFERUN_TEST_BIN`, else `target/dist/bin`.
#[must_use]
pub fn bin(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder =
        env::var_os("SAFERUN_TEST_BIN").map_or_else(|| root.join("target/dist/bin"), PathBuf::from);
    let folder = if folder.is_relative() {
        root.join(folder)
    } else {
        folder
    };
    folder.join(name)
}

/// The engine's address, if there is one. Without one a test says that it is skipped, unless
/// `SAFERUN_REQUIRE_ENGINE` is set: then it fails.
///
/// # Panics
/// If an engine is required and none is named.
#[must_use]
pub fn engine() -> Option<String> {
    let engine = env::var("SAFERUN_ENGINE")
        .ok()
        .filter(|address| !address.is_empty());
    if engine.is_none() {
        assert!(
            env::var_os("SAFERUN_REQUIRE_ENGINE").is_none(),
            "SAFERUN_REQUIRE_ENGINE is set, but SAFERUN_ENGINE names no engine"
        );
        skipped("SAFERUN_ENGINE names no engine (`make test` finds or starts one)");
    }
    engine
}

/// A daemon of this test's own. Stopped when dropped.
pub struct Daemon {
    program: PathBuf,
    child: Child,
    folder: TempDir,
    engine: String,
    environment: Vec<(String, String)>,
    runtime: tokio::runtime::Runtime,
    user: Option<u32>,
}

impl Daemon {
    /// Starts one with the default settings, or says why not.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts one with these settings added.
    ///
    /// # Panics
    /// If it does not come up.
    #[must_use]
    pub fn start_with(environment: &[(&str, &str)]) -> Option<Self> {
        let daemon = Self::start_program(bin("saferund"), environment)?;
        // The socket's file is there a moment before anybody listens.
        daemon.wait_until("the daemon listens", Self::listens);
        Some(daemon)
    }

    /// Starts one as it is installed: its user has no policy.
    ///
    /// # Panics
    /// If it does not come up.
    #[must_use]
    pub fn start_as_installed() -> Option<Self> {
        let daemon = Self::start_over(bin("saferund"), engine()?, &[], None, None);
        daemon.wait_until("the daemon listens", Self::listens);
        Some(daemon)
    }

    /// Starts one that finds no engine, for what needs none: as another user, if one is named, whose folder it is then.
    ///
    /// # Panics
    /// If it does not come up; only root may start it as another user.
    #[must_use]
    pub fn start_without_engine(user: Option<u32>) -> Self {
        Self::start_without_engine_in(&[], user)
    }

    /// The same with these settings added.
    ///
    /// # Panics
    /// If it does not come up; only root may start it as another user.
    #[must_use]
    pub fn start_without_engine_in(environment: &[(&str, &str)], user: Option<u32>) -> Self {
        Self::start_idle(bin("saferund"), environment, user)
    }

    /// Starts this program as a daemon that finds no engine.
    ///
    /// # Panics
    /// If it does not come up.
    #[must_use]
    pub fn start_program_without_engine(program: PathBuf) -> Self {
        Self::start_idle(program, &[], None)
    }

    fn start_idle(program: PathBuf, environment: &[(&str, &str)], user: Option<u32>) -> Self {
        let engine = "unix:///nonexistent/engine.sock".to_owned();
        let policy = Some(FOR_SCRIPTS);
        let daemon = Self::start_over(program, engine, environment, user, policy);
        // Another user's would not let us in, but it takes the connection.
        daemon.wait_until("the daemon listens", |daemon| {
            std::os::unix::net::UnixStream::connect(daemon.socket()).is_ok()
        });
        daemon
    }

    /// Starts this program as the daemon, and does not wait for it to listen.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start_program(program: PathBuf, environment: &[(&str, &str)]) -> Option<Self> {
        let policy = Some(FOR_SCRIPTS);
        Some(Self::start_over(
            program,
            engine()?,
            environment,
            None,
            policy,
        ))
    }

    fn start_over(
        program: PathBuf,
        engine: String,
        environment: &[(&str, &str)],
        user: Option<u32>,
        policy: Option<&str>,
    ) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("saferun-test-")
            .tempdir()
            .expect("a folder");
        let environment: Vec<(String, String)> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        if let Some(policy) = policy {
            have_policy(&folder.path().join("config"), policy, user);
        }
        let temporary = folder.path().join("tmp");
        fs::create_dir(&temporary).expect("a folder");
        if user.is_some() {
            for given in [folder.path(), &temporary] {
                std::os::unix::fs::chown(given, user, user).expect("the folder is given away");
            }
        }
        let child = spawn(&program, folder.path(), &engine, &environment, user);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            program,
            child,
            folder,
            engine,
            environment,
            runtime,
            user,
        }
    }

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("saferund.sock")
    }

    /// Its folder, for a test's own files too.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process id.
    ///
    /// # Panics
    /// If it is no pid, which the system does not do.
    #[must_use]
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
    }

    /// A new connection.
    ///
    /// # Panics
    /// If it fails.
    #[must_use]
    pub fn connect(&self) -> Client {
        self.runtime
            .block_on(connect(&self.socket()))
            .expect("a connection")
    }

    /// Whether it takes connections.
    #[must_use]
    pub fn listens(&self) -> bool {
        self.block_on(connect(&self.socket())).is_ok()
    }

    /// Waits for a future on the test's runtime.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Starts a future on the test's runtime.
    pub fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.runtime.spawn(future)
    }

    /// Runs a script to its end.
    ///
    /// # Panics
    /// If the daemon refuses the request.
    #[must_use]
    pub fn run(&self, source: &str) -> RunResult {
        self.run_request(RunRequest::new(source))
    }

    /// Runs a request to its end.
    ///
    /// # Panics
    /// If the daemon refuses the request.
    #[must_use]
    pub fn run_request(&self, mut request: RunRequest) -> RunResult {
        // What tests run is hostile by trade: the policy must not stop it before the sandbox can.
        request
            .policy
            .get_or_insert_with(|| "permissive".to_owned());
        let client = self.connect();
        self.block_on(client.run(request))
            .expect("the run is accepted")
    }

    /// Its status.
    ///
    /// # Panics
    /// If it does not answer.
    #[must_use]
    pub fn status(&self) -> Status {
        let client = self.connect();
        self.block_on(client.status()).expect("a status")
    }

    /// A `saferunctl` command that talks to this daemon.
    #[must_use]
    pub fn cli(&self, args: &[&str]) -> Command {
        self.talking_here(Command::new(bin("saferunctl")), args)
    }

    /// The same, started through another program: its name and its own arguments come first.
    ///
    /// # Panics
    /// If `wrapper` is empty.
    #[must_use]
    pub fn wrapped_cli(&self, wrapper: &[&str], args: &[&str]) -> Command {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).arg(bin("saferunctl"));
        self.talking_here(command, args)
    }

    fn talking_here(&self, mut command: Command, args: &[&str]) -> Command {
        command
            .args(args)
            .env("SAFERUN_SOCKET", self.socket())
            .env("SAFERUN_NO_START", "1")
            .env("SAFERUN_CONFIG_DIR", self.folder().join("config"))
            .env("SAFERUN_SYSTEM_CONFIG_DIR", self.folder().join("etc"))
            .stdin(Stdio::null());
        command
    }

    /// The containers that carry this daemon's instance id, by the engine's own word.
    #[must_use]
    pub fn containers(&self) -> Vec<String> {
        let filter = format!("label=org.saferun.instance={}", self.instance());
        let output = docker(
            &self.engine,
            &["ps", "-a", "-q", "--no-trunc", "--filter", &filter],
        );
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Random id of its state folder.
    #[must_use]
    pub fn instance(&self) -> String {
        self.status().daemon.instance
    }

    /// Tells it to end, as the system does (SIGTERM), and waits for that. `false`: not within `patience`.
    #[must_use]
    pub fn end_within(&mut self, patience: Duration) -> bool {
        if !self.has_ended() {
            let pid = nix::unistd::Pid::from_raw(self.pid());
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        }
        let deadline = Instant::now() + patience;
        while !self.has_ended() && Instant::now() < deadline {
            pause();
        }
        self.has_ended()
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again over the same state.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn restart(&mut self) {
        self.child = spawn(
            &self.program,
            self.folder.path(),
            &self.engine,
            &self.environment,
            self.user,
        );
        self.wait_until("the daemon comes up again", Self::listens);
    }

    /// Waits for a condition, within 60 s.
    ///
    /// # Panics
    /// If it does not come true.
    pub fn wait_until(&self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !condition(self) {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(
                Instant::now() < deadline,
                "{what}: not within 60 s; the daemon said:\n{log}"
            );
            pause();
        }
    }

    /// Waits until so many containers are warm.
    pub fn wait_for_warm(&self, count: u32) {
        self.wait_until("warm containers", |daemon| {
            daemon
                .status()
                .pools
                .iter()
                .map(|pool| pool.warm)
                .sum::<u32>()
                >= count
        });
    }

    /// The engine's address.
    #[must_use]
    pub fn engine(&self) -> &str {
        &self.engine
    }

    /// Names of the engine's runtimes that runs can go to: `runc`, and `runsc` where there is gVisor.
    ///
    /// # Panics
    /// If there is no `runc`.
    #[must_use]
    pub fn tiers(&self) -> Vec<&'static str> {
        // Until the engine was asked, nothing is known of it.
        let _ = self.image();
        let runtimes = self.status().engine.runtimes;
        let mut tiers = vec!["runc", "runsc"];
        tiers.retain(|tier| runtimes.iter().any(|name| name == tier));
        assert!(tiers.contains(&"runc"), "{runtimes:?}");
        tiers
    }

    /// Id of the image that a run without imports goes into; other variants may stand beside it.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn image(&self) -> String {
        self.wait_until("the image is known", |daemon| {
            daemon.status().images.iter().any(is_plain)
        });
        let images = self.status().images;
        images
            .into_iter()
            .find(is_plain)
            .and_then(|image| image.id)
            .expect("an image")
    }

    /// Sees to it that the engine has this variant of the image.
    ///
    /// # Panics
    /// If it has not.
    pub fn require_image(&self, variant: &str) {
        self.wait_until("the engine was asked", |daemon| {
            daemon.status().engine.reachable
        });
        let built = |image: &saferun_protocol::ImageInfo| image.variant == variant && image.current;
        assert!(
            self.status().images.iter().any(built),
            "build it first: saferunctl image build {variant}"
        );
    }
}

fn is_plain(image: &saferun_protocol::ImageInfo) -> bool {
    image.current && image.variant == "python"
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if !self.end_within(Duration::from_secs(30)) {
            self.kill();
        }
    }
}

fn spawn(
    program: &Path,
    folder: &Path,
    engine: &str,
    environment: &[(String, String)],
    user: Option<u32>,
) -> Child {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .expect("a log");
    // `--pdeathsig`: a test that is killed leaves no daemon behind.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM"]);
    if let Some(user) = user.map(|user| user.to_string()) {
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]);
    }
    command
        .arg("--")
        .arg(program)
        .env("SAFERUN_INIT", bin("saferun-init"))
        .env("SAFERUN_SOCKET", folder.join("saferund.sock"))
        .env("SAFERUN_STATE_DIR", folder.join("state"))
        // What it leaves there is seen.
        .env("TMPDIR", folder.join("tmp"))
        // No policy of the machine's own user or system.
        .env("SAFERUN_CONFIG_DIR", folder.join("config"))
        .env("SAFERUN_SYSTEM_CONFIG_DIR", folder.join("etc"))
        .env("SAFERUN_ENGINE", engine)
        .env("SAFERUN_POOL_SIZE", "2")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("setpriv and saferund start")
}
