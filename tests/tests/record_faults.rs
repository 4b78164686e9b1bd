//! Promise: a run whose record cannot be written is refused, or runs and says so, as the policy says; never silently. For
//! each way in which a record fails, and each word of the policy.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use saferun_protocol::{ApiClient, HistoryQuery, Integrity, Outcome, RunResult};
use saferun_tests::{Daemon, HeldRecord, SmallDisk};

/// How the record fails.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Full,
    Locked,
    Moved,
    Damaged,
    ReadOnly,
}

impl Fault {
    /// What the result must say of it.
    const fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Locked => "locked",
            Self::Moved => "moved away",
            Self::Damaged => "damaged",
            Self::ReadOnly => "readonly",
        }
    }
}

/// What has to be taken back.
enum Broken {
    Filler(PathBuf),
    Holder(HeldRecord),
    Moved(PathBuf),
    Aside(PathBuf),
    Mount,
}

struct Bench<'daemon> {
    daemon: &'daemon mut Daemon,
    disk: SmallDisk,
    record: PathBuf,
}

impl Bench<'_> {
    /// Under a running daemon where that can be, else over a restart.
    fn break_it(&mut self, fault: Fault) -> Broken {
        match fault {
            Fault::Full => Broken::Filler(self.disk.fill()),
            Fault::Locked => Broken::Holder(HeldRecord::at(&self.record)),
            Fault::Moved => {
                let aside = self.record.with_extension("moved");
                fs::rename(&self.record, &aside).expect("the record is moved");
                Broken::Moved(aside)
            }
            Fault::Damaged => {
                self.daemon.kill();
                let aside = self.record.with_extension("aside");
                fs::rename(&self.record, &aside).expect("the record is moved");
                for beside in ["sqlite-wal", "sqlite-shm"] {
                    let from = self.record.with_extension(beside);
                    let _ = fs::rename(&from, from.with_extension(format!("{beside}.aside")));
                }
                fs::write(&self.record, vec![b'?'; 20_000]).expect("rubbish in its place");
                self.daemon.restart();
                Broken::Aside(aside)
            }
            Fault::ReadOnly => {
                self.daemon.kill();
                mount(&["--bind"], &self.record);
                mount(&["-o", "remount,bind,ro"], &self.record);
                self.daemon.restart();
                Broken::Mount
            }
        }
    }

    fn repair(&mut self, broken: Broken) {
        match broken {
            Broken::Filler(filler) => fs::remove_file(filler).expect("room"),
            Broken::Holder(holder) => holder.let_go(),
            Broken::Moved(aside) => fs::rename(aside, &self.record).expect("the record is back"),
            Broken::Aside(aside) => {
                self.daemon.kill();
                fs::rename(aside, &self.record).expect("the record is back");
                for beside in ["sqlite-wal", "sqlite-shm"] {
                    let to = self.record.with_extension(beside);
                    let _ = fs::remove_file(&to);
                    let _ = fs::rename(to.with_extension(format!("{beside}.aside")), &to);
                }
                self.daemon.restart();
            }
            Broken::Mount => {
                self.daemon.kill();
                let ended = Command::new("umount").arg(&self.record).status();
                assert!(ended.expect("umount").success());
                self.daemon.restart();
            }
        }
    }
}

fn mount(options: &[&str], record: &Path) {
    let mounted = Command::new("mount")
        .args(options)
        .arg(record)
        .arg(record)
        .output();
    let mounted = mounted.expect("mount");
    assert!(mounted.status.success(), "{mounted:?}");
}

fn answered(fault: Fault, runs: bool, result: &RunResult) {
    let what = format!(
        "{fault:?}, on_failure {}: {result:#?}",
        if runs { "run" } else { "refuse" }
    );
    let why = result.unrecorded.as_ref().expect(&what);
    assert!(why.contains(fault.word()), "{what}");
    if runs {
        assert_eq!(
            (result.status, result.exit_code),
            (Outcome::Completed, Some(0)),
            "{what}"
        );
        assert_eq!(result.stdout, "on\n", "{what}");
    } else {
        assert_eq!(
            (result.status, result.exit_code),
            (Outcome::SetupFailed, None),
            "{what}"
        );
        assert_eq!(result.stdout, "", "{what}");
        assert!(result.message.contains("could not be recorded"), "{what}");
    }
}

#[test]
fn each_way_in_which_a_record_fails_is_answered_as_the_policy_says() {
    for runs in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        // A run needs room for its end and twice the 8 MiB of output that this preset keeps.
        let Some(disk) = SmallDisk::at(&state, 32) else {
            return;
        };
        let config = folder.path().join("config");
        fs::create_dir(&config).expect("a folder");
        let word = if runs { "run" } else { "refuse" };
        let policy = format!("version: 1\npreset: permissive\naudit: {{on_failure: {word}}}\n");
        fs::write(config.join("policy.yaml"), policy).expect("a policy");
        let (state_dir, config_dir) = (state.display().to_string(), config.display().to_string());
        let settings = [
            ("SAFERUN_STATE_DIR", state_dir.as_str()),
            ("SAFERUN_CONFIG_DIR", config_dir.as_str()),
            ("SAFERUN_POOL_SIZE", "1"),
        ];
        let Some(mut daemon) = Daemon::start_with(&settings) else {
            return;
        };
        let mut bench = Bench {
            daemon: &mut daemon,
            disk,
            record: state.join("audit.sqlite"),
        };
        for fault in [
            Fault::Full,
            Fault::Locked,
            Fault::Moved,
            Fault::Damaged,
            Fault::ReadOnly,
        ] {
            assert_eq!(run(bench.daemon).unrecorded, None, "before {fault:?}");
            // No container is begun that could not be written into the journal, which is on the same disk.
            bench.daemon.wait_for_warm(1);
            let broken = bench.break_it(fault);
            answered(fault, runs, &run(bench.daemon));
            let status = bench.daemon.status();
            let told = |problem: &String| problem.contains(fault.word());
            assert!(
                !status.ready && status.problems.iter().any(told),
                "{fault:?}: {status:#?}"
            );
            bench.repair(broken);
            assert_eq!(run(bench.daemon).unrecorded, None, "after {fault:?}");
        }
        let client = daemon.connect();
        let report = daemon
            .block_on(client.verify_history(None, None))
            .expect("a report");
        assert_eq!(report.verdict, Integrity::Consistent, "{report:#?}");
        // What was told to be unrecorded is not in it, and all else is.
        let page = daemon
            .block_on(client.history(HistoryQuery::default()))
            .expect("history");
        assert_eq!(page.runs.len(), 10, "{page:#?}");
        assert!(
            page.runs
                .iter()
                .all(|run| run.outcome == Some(Outcome::Completed)),
            "{page:#?}"
        );
    }
}

#[test]
fn a_run_whose_record_is_deleted_meanwhile_says_so_and_the_next_record_begins_without_it() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    assert_eq!(daemon.run("print(1)").unrecorded, None);
    let running = begin(&daemon);
    daemon.wait_until("it runs", |daemon| daemon.status().running == 1);
    let state = daemon.folder().join("state");
    for name in [
        "audit.sqlite",
        "audit.sqlite-wal",
        "audit.sqlite-shm",
        "audit.head",
    ] {
        fs::remove_file(state.join(name)).expect("it is deleted");
    }
    let client = daemon.connect();
    let runs = daemon.block_on(client.ps()).expect("the runs");
    let result = killed(&daemon, runs[0].id.clone(), running);
    let why = result.unrecorded.as_ref().expect("it says so");
    assert!(why.contains("deleted"), "{result:#?}");
    let told = daemon.status().problems;
    assert!(
        told.iter().any(|problem| problem.contains("deleted")),
        "{told:?}"
    );
    assert_eq!(daemon.run("print(2)").unrecorded, None);
    assert!(daemon.status().ready);
    let report = daemon
        .block_on(client.verify_history(None, None))
        .expect("a report");
    assert_eq!(
        (report.verdict, report.events),
        (Integrity::Consistent, 2),
        "{report:#?}"
    );
}

#[test]
fn an_end_that_comes_while_the_record_is_locked_is_added_when_it_is_free_again() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let running = begin(&daemon);
    let client = daemon.connect();
    let recorded = || {
        let page = daemon.block_on(client.history(HistoryQuery::default()));
        page.expect("history").runs
    };
    daemon.wait_until("its start is recorded", |_| recorded().len() == 1);
    daemon.wait_until("it runs", |daemon| daemon.status().running == 1);
    let holder = HeldRecord::at(&daemon.folder().join("state/audit.sqlite"));
    let result = killed(&daemon, recorded()[0].id.clone(), running);
    let why = result.unrecorded.as_ref().expect("it says so");
    assert!(why.contains("locked"), "{result:#?}");
    let status = daemon.status();
    let told = |problem: &String| problem.contains("not in the audit record yet: 1");
    assert!(
        !status.ready && status.problems.iter().any(told),
        "{status:#?}"
    );
    assert_eq!(recorded()[0].outcome, None);
    holder.let_go();
    daemon.wait_until("it is added", |daemon| daemon.status().ready);
    assert_eq!(recorded()[0].outcome, Some(result.status));
    let report = daemon
        .block_on(client.verify_history(None, None))
        .expect("a report");
    assert_eq!(
        (report.verdict, report.events),
        (Integrity::Consistent, 2),
        "{report:#?}"
    );
}

type Running = tokio::task::JoinHandle<Result<RunResult, jsonrpsee::core::ClientError>>;

/// A run that goes on until it is killed.
fn begin(daemon: &Daemon) -> Running {
    let client = daemon.connect();
    let mut request = saferun_protocol::RunRequest::new("import time\ntime.sleep(300)");
    request.policy = Some("permissive".to_owned());
    daemon.spawn(async move { client.run(request).await })
}

fn killed(daemon: &Daemon, id: String, running: Running) -> RunResult {
    let killed = daemon.block_on(daemon.connect().kill(id));
    killed.expect("it is ended");
    let account = daemon.block_on(running).expect("the task");
    account.expect("an account")
}

/// Under the policy that holds.
fn run(daemon: &Daemon) -> RunResult {
    let client = daemon.connect();
    let request = saferun_protocol::RunRequest::new("print('on')");
    daemon.block_on(client.run(request)).expect("an account")
}
