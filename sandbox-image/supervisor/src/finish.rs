//! After the main process: end the rest, drain the pipes, report.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use saferun_frames::{Account, EndReport, Exit, Place, StreamTotals, ToDaemon};

use crate::boot::{self, Gauge, Standby};
use crate::collect::{Before, Entries, collect};
use crate::outer::{HIGH_WATER, Outer};
use crate::places::Places;
use crate::reap;
use crate::run::Channel;
use crate::stop::Stop;
use crate::trace::Tracer;

/// How long a fault may take to be written.
pub(crate) const FAULT_PATIENCE: Duration = Duration::from_secs(1);

/// How long a reported run's supervisor stays for the daemon to close the stream.
pub(crate) const LINGER: Duration = Duration::from_secs(10);

/// How long the pipes are drained when everything that could write is dead.
const DRAIN_TIME: Duration = Duration::from_millis(100);

/// Events in one frame: at most 4 KiB each as JSON, since all of their texts together are bounded.
const TOLD_AT_ONCE: usize = 20;

/// The largest pipe that an unprivileged process can make, twice.
const DRAIN_BYTES: u64 = 2 * 1024 * 1024;

/// A run whose main process has ended.
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    pub(crate) wall: Duration,
    pub(crate) terminated: bool,
    pub(crate) timed_out: bool,
    pub(crate) flooded: bool,
    pub(crate) out: Channel,
    pub(crate) err: Channel,
    pub(crate) buffer: Box<[u8]>,
    pub(crate) gauge: Gauge,
    pub(crate) tracer: Option<Tracer>,
}

impl Ended {
    /// Kills what is left, drains, tells what is to be told, and sends the last frames.
    pub(crate) fn report(
        mut self,
        outer: &mut Outer,
        places: &Places,
        account: Account,
        workspace: Entries,
    ) -> Result<(), Stop> {
        let ended = Instant::now();
        let orphans_killed = reap::kill_and_reap(reap::PATIENCE);
        let deadline = Instant::now() + DRAIN_TIME;
        drain(&mut self.out, outer, &mut self.buffer, deadline);
        drain(&mut self.err, outer, &mut self.buffer, deadline);
        self.out.send_tail(outer);
        self.err.send_tail(outer);
        // The figures are the program's, not those of what follows.
        let figures = figures(&self.gauge, self.exit);
        let mut collected = None;
        let mut trace = None;
        if account.collects() {
            outer.send(&ToDaemon::Collecting);
            if let Some(tracer) = self.tracer {
                let (events, end) = tracer.finish();
                for some in events.chunks(TOLD_AT_ONCE) {
                    outer.send(&ToDaemon::Trace(some.to_vec()));
                    outer.drain_below(HIGH_WATER, reap::PATIENCE);
                }
                trace = Some(end);
            }
            if account.changes.is_some() || account.artifacts.is_some() {
                collected = Some(collect(account, befores(places, workspace), outer));
            }
        }
        outer.send(&ToDaemon::End(Box::new(EndReport {
            terminated: self.terminated,
            timed_out: self.timed_out,
            flooded: self.flooded,
            wall_us: micros(self.wall),
            report_us: micros(ended.elapsed()),
            orphans_killed,
            stdout: self.out.capture.totals(),
            stderr: self.err.capture.totals(),
            collected,
            trace,
            ..figures
        })));
        if outer.is_gone() {
            Err(Stop::Gone)
        } else {
            Ok(())
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The places that a run may change, as they were before it.
fn befores(places: &Places, workspace: Entries) -> Vec<Before<'_>> {
    let mut befores = vec![Before {
        place: Place::Workspace,
        path: &places.workspace,
        entries: workspace,
    }];
    if let Some(home) = places
        .home_folder
        .as_ref()
        .filter(|home| **home != places.workspace)
    {
        befores.push(Before {
            place: Place::Home,
            path: home,
            entries: boot::furnished(&places.home),
        });
    }
    if places.out != places.workspace {
        befores.push(Before {
            place: Place::Out,
            path: &places.out,
            entries: Entries::new(),
        });
    }
    befores
}

/// Reports a run that was called off before it began.
pub(crate) fn never_started(outer: &mut Outer, standby: &Standby) {
    reap::kill_and_reap(reap::PATIENCE);
    let report = EndReport {
        terminated: true,
        ..figures(&standby.gauge, Exit::Signal(9))
    };
    outer.send(&ToDaemon::End(Box::new(report)));
}

/// Reads a pipe to its end: nothing writes any more, so this only bounds what a pipe can hold.
fn drain(channel: &mut Channel, outer: &mut Outer, buffer: &mut [u8], deadline: Instant) {
    let before = channel.capture.totals().total;
    while channel.pipe.is_some() {
        if channel.relay(outer, buffer) {
            if channel.capture.totals().total - before > DRAIN_BYTES {
                return;
            }
            continue;
        }
        let Some(pipe) = &channel.pipe else { return };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        let _ = poll(&mut [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)], timeout);
    }
}

/// A report with what the run cost, as differences, and nothing else yet.
fn figures(gauge: &Gauge, exit: Exit) -> EndReport {
    let (before, after) = (gauge.before, gauge.cgroup.counters());
    let since = |after: Option<u64>, before: Option<u64>| {
        after
            .zip(before)
            .map(|(after, before)| after.saturating_sub(before))
    };
    EndReport {
        token: gauge.token,
        exit,
        terminated: false,
        timed_out: false,
        flooded: false,
        wall_us: 0,
        report_us: 0,
        cpu_us: since(after.cpu_us, before.cpu_us),
        throttled_us: since(after.throttled_us, before.throttled_us),
        peak_memory: after.peak_memory,
        oom_kills: since(after.oom_kills, before.oom_kills),
        pids_denied: since(after.pids_denied, before.pids_denied),
        full_mounts: gauge.full_mounts(),
        orphans_killed: 0,
        stdout: StreamTotals::default(),
        stderr: StreamTotals::default(),
        collected: None,
        trace: None,
    }
}
