//! Starts the daemon so that it outlives this process: a session of its own, no inherited files, its
//! output in a log that only its owner can read.

use std::{
    env,
    ffi::OsStr,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, IsTerminal},
    os::unix::{
        fs::{DirBuilderExt, OpenOptionsExt},
        process::CommandExt,
    },
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::fcntl::{Flock, FlockArg};
use saferun_policy::Source;
use saferun_protocol::{Client, connect};

use super::{find_daemon, last_lines, log_file, nobody_listens};
use crate::{failure::Failure, ui};

/// How long the daemon may take until it answers.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// A log longer than this is put aside before the next start.
const LOG_LIMIT: u64 = 8 * 1024 * 1024;

/// Starts the daemon and waits until it answers. When several clients start at once, one starts it
/// and the others wait for that one.
///
/// `keep` says whether the daemon gets the settings of the policy in this command's environment: those of a command
/// that only happens to need a daemon go with its request, and must not stay for others.
pub(crate) async fn start(socket: &Path, keep: bool) -> Result<Client, Failure> {
    if socket.starts_with("/run/saferun") && !nix::unistd::geteuid().is_root() {
        return Err(Failure::failed(
            format!("the system service does not listen at {}", socket.display()),
            "ask for it: systemctl start saferund; or set SAFERUN_SOCKET to a path of your own",
        ));
    }
    let log = log_file()?;
    let folder = log.parent().unwrap_or(Path::new("/"));
    let io = |what: &str, error: io::Error| {
        Failure::failed(
            format!("cannot {what}: {error}"),
            "set SAFERUN_STATE_DIR to a folder of your own",
        )
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| io(&format!("make the folder {}", folder.display()), error))?;
    let began = Instant::now();
    let mut starter = Starter {
        keep,
        log: &log,
        child: None,
        log_from: 0,
    };
    let mut lock = None;
    let mut told = false;
    let mut pause = Duration::from_millis(2);
    loop {
        match connect(socket).await {
            Ok(client) => return Ok(client),
            Err(error) if !nobody_listens(&error) => return Err(error.into()),
            Err(_) => {}
        }
        if lock.is_none() {
            lock = try_lock(&folder.join("start.lock"))
                .map_err(|error| io(&format!("lock {}", folder.display()), error))?;
            // Whoever held the lock before may have brought it up since: look again before starting.
            if lock.is_some() {
                if let Ok(client) = connect(socket).await {
                    return Ok(client);
                }
                starter
                    .spawn()
                    .map_err(|error| io("start the daemon", error))??;
            }
        }
        starter.check_alive()?;
        if began.elapsed() > READY_WITHIN {
            return Err(starter.failure("the daemon did not answer within 30 s"));
        }
        if !told && began.elapsed() > Duration::from_secs(1) && io::stderr().is_terminal() {
            told = true;
            ui::note("saferunctl: starting the daemon ...");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

fn try_lock(path: &Path) -> io::Result<Option<Flock<File>>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => Err(error.into()),
    }
}

/// The start under way, if it is ours.
struct Starter<'a> {
    keep: bool,
    log: &'a Path,
    child: Option<Child>,
    log_from: u64,
}

impl Starter<'_> {
    /// The outer error is of the log file or the process, the inner one of the search for the program.
    fn spawn(&mut self) -> io::Result<Result<(), Failure>> {
        let program = match find_daemon() {
            Ok(program) => program,
            Err(failure) => return Ok(Err(failure)),
        };
        if fs::metadata(self.log).is_ok_and(|meta| meta.len() > LOG_LIMIT) {
            fs::rename(self.log, self.log.with_extension("log.1"))?;
        }
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.log)?;
        self.log_from = log.metadata()?.len();
        let mut command = Command::new(env::current_exe()?);
        for (name, _) in env::vars_os().filter(|_| !self.keep) {
            let setting = name
                .to_str()
                .filter(|name| Source::variable(name, "").is_some());
            if let Some(name) = setting {
                command.env_remove(name);
            }
        }
        let child = command
            .args(["daemon", "become"])
            .arg(program)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .current_dir("/")
            .spawn()?;
        self.child = Some(child);
        Ok(Ok(()))
    }

    fn check_alive(&mut self) -> Result<(), Failure> {
        match self.child.as_mut().map(Child::try_wait) {
            Some(Ok(Some(status))) => {
                Err(self.failure(&format!("the daemon ended at once ({status})")))
            }
            _ => Ok(()),
        }
    }

    fn failure(&self, what: &str) -> Failure {
        use std::fmt::Write as _;
        let mut message = what.to_owned();
        let lines = last_lines(self.log, 8, self.log_from).unwrap_or_default();
        if !lines.is_empty() {
            let _ = write!(message, "; the end of {}", self.log.display());
            for line in lines {
                let _ = write!(message, "\n  | {line}");
            }
        }
        Failure::failed(message, "see what is wrong: saferunctl doctor")
    }
}

/// In the child: leaves the caller's session and files behind and becomes the daemon.
/// Returns only if that fails.
pub(crate) fn become_daemon(program: &OsStr) -> Failure {
    // Fails only for the leader of a process group, who is then on its own already.
    let _ = nix::unistd::setsid();
    let _ = nix::sys::signal::SigSet::all().thread_unblock();
    // A lock or pipe of the caller must not live on in the daemon.
    let inherited: Vec<i32> = fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in inherited {
        let _ = nix::unistd::close(number);
    }
    let error = Command::new(program).exec();
    Failure::failed(
        format!("cannot start {}: {error}", Path::new(program).display()),
        "reinstall SafeRun, or set SAFERUN_DAEMON to the path of saferund",
    )
}
