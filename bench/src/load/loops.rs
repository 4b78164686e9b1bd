//! The loops that make the load.

use std::{
    process::{Command, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, ensure};
use saferun_protocol::{ApiClient, Code, Outcome, connect};
use serde_json::Value;
use tokio::time::timeout_at;

use super::Window;
use crate::{
    cpu::{self, Split},
    daemon::Daemon,
    engine::Engine,
    programs::Program,
    ways::request,
};

/// Before a client that was told to come later does.
const LATER: Duration = Duration::from_millis(50);

/// One client's or loop's account.
#[derive(Debug, Default, Clone)]
pub(super) struct Account {
    /// Milliseconds of each run that ended within the window.
    pub(super) times: Vec<f64>,
    /// Those among them that found a warm container.
    pub(super) hits: usize,
    /// How often it was told to come later.
    pub(super) busy: usize,
    /// Everything else that went wrong, also outside of the window.
    pub(super) errors: Vec<String>,
}

impl Account {
    pub(super) fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        self.hits += other.hits;
        self.busy += other.busy;
        self.errors.extend(other.errors);
    }
}

/// Clients of ours, each with a connection of its own. What is under way at the end is given up.
pub(super) fn ours(
    daemon: &Daemon,
    program: &Program,
    clients: usize,
    length: Duration,
) -> Result<(Vec<Account>, Split)> {
    let socket = daemon.socket();
    let (accounts, watch) = daemon.runtime.block_on(async {
        let mut connections = Vec::new();
        for _ in 0..clients {
            connections.push(connect(&socket).await?);
        }
        let window = Window::after_the_ramp(length);
        let watch = cpu::watch(window.from, window.until);
        let tasks: Vec<_> = connections
            .into_iter()
            .map(|client| tokio::spawn(one(client, program.clone(), window)))
            .collect();
        let mut accounts = Vec::new();
        for task in tasks {
            accounts.push(task.await?);
        }
        anyhow::Ok((accounts, watch))
    })?;
    ensure!(
        accounts.iter().any(|account| !account.times.is_empty()),
        "no run at all with {clients} clients: {:?}",
        accounts.first().map(|account| &account.errors)
    );
    Ok((accounts, cpu::found(watch)?))
}

async fn one(client: saferun_protocol::Client, program: Program, window: Window) -> Account {
    let mut account = Account::default();
    let busy = Code::Busy.number().to_string();
    loop {
        let began = Instant::now();
        let run = client.run(request(&program, "runc"));
        let Ok(done) = timeout_at(window.until.into(), run).await else {
            return account;
        };
        match done {
            Ok(result) if result.status == Outcome::Completed && result.stdout == "hi\n" => {
                if window.holds(Instant::now()) {
                    account.times.push(began.elapsed().as_secs_f64() * 1000.0);
                    account.hits += usize::from(result.sandbox.warm);
                }
            }
            Ok(result) => account.errors.push(result.message),
            Err(error) if error.to_string().contains(&busy) => {
                account.busy += 1;
                tokio::time::sleep(LATER).await;
            }
            Err(error) => account.errors.push(error.to_string()),
        }
        if account.errors.len() > 100 {
            return account;
        }
    }
}

/// The same container without us.
pub(super) struct Twin {
    pub(super) engine: Engine,
    pub(super) address: String,
    pub(super) image: String,
    pub(super) flags: Vec<String>,
    pub(super) body: Value,
    pub(super) program: Program,
}

impl Twin {
    /// By the engine's own command line.
    pub(super) fn docker_run(&self) -> Result<()> {
        let output = Command::new("docker")
            .args(["-H", &self.address, "run", "--rm"])
            .args(&self.flags)
            .args(["--entrypoint", "/usr/bin/python3", &self.image, "-c"])
            .arg(&self.program.source)
            .stdin(Stdio::null())
            .output()?;
        ensure!(
            output.stdout == self.program.output,
            "docker run: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// By the engine's API with our settings, and nothing besides: create, attach, start, read, wait, remove.
    pub(super) fn by_the_api(&self) -> Result<()> {
        self.engine.run_once(&self.body, &self.program.output)
    }
}

/// So many loops of the same thing. A failure of one of them ends the measurement.
pub(super) fn of(
    loops: usize,
    length: Duration,
    run: impl Fn() -> Result<()> + Sync,
) -> Result<(Vec<Account>, Split)> {
    let window = Window::after_the_ramp(length);
    let watch = cpu::watch(window.from, window.until);
    let failure = Mutex::new(None);
    let stopped = || failure.lock().map_or(true, |failure| failure.is_some());
    let accounts = thread::scope(|scope| {
        let threads: Vec<_> = (0..loops)
            .map(|_| {
                scope.spawn(|| {
                    let mut account = Account::default();
                    while Instant::now() < window.until && !stopped() {
                        let began = Instant::now();
                        if let Err(error) = run() {
                            if let Ok(mut failure) = failure.lock() {
                                *failure = Some(error);
                            }
                        } else if window.holds(Instant::now()) {
                            account.times.push(began.elapsed().as_secs_f64() * 1000.0);
                        }
                    }
                    account
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow!("a loop panicked")))
            .collect::<Result<Vec<_>>>()
    })?;
    if let Some(error) = failure.into_inner().unwrap_or_default() {
        return Err(error);
    }
    Ok((accounts, cpu::found(watch)?))
}
