//! PID 1 of a sandbox container: holds a started interpreter, hands it one script, relays, reaps,
//! reports, and outlives nothing.
//!
//! One thread, one poll loop, no runtime. It never trusts what the program wrote (that is data in
//! frames) and never blocks on the daemon (that would stop its own timer).
#![deny(unsafe_code)]

mod beneath;
mod boot;
mod capture;
mod cgroup;
mod collect;
mod facts;
mod feed;
mod finish;
mod handover;
mod interpreter;
mod mounts;
mod outer;
mod places;
mod reap;
mod request;
mod run;
mod seclude;
mod stop;
mod sys;
mod trace;
mod untouched;

use std::process::ExitCode;

fn main() -> ExitCode {
    sys::close_inherited();
    let Ok(mut outer) = outer::Outer::attach() else {
        // There is nobody to tell: the streams to the daemon do not work.
        return ExitCode::from(70);
    };
    match supervise(&mut outer) {
        Ok(()) | Err(stop::Stop::Gone) => ExitCode::SUCCESS,
        Err(stop::Stop::Fault(fault)) => {
            outer.send(&saferun_frames::ToDaemon::Fault(fault));
            outer.flush_within(finish::FAULT_PATIENCE);
            ExitCode::FAILURE
        }
    }
}

fn supervise(outer: &mut outer::Outer) -> Result<(), stop::Stop> {
    let own = seclude::OwnProc::open()
        .map_err(|error| stop::Stop::boot(format!("cannot read /proc/self: {error}")))?;
    seclude::seclude()?;
    let places = places::Places::from_args(std::env::args_os().skip(1))?
        .settled()
        .ok_or_else(|| {
            stop::Stop::boot("no folder can be written to, so there is no place for the script")
        })?;
    let mut standby = boot::boot(&places, &own)?;
    drop(own);
    outer.send(&standby.ready());
    let result = match request::receive(outer, &places)? {
        request::Received::Terminated => {
            finish::never_started(outer, &standby);
            Ok(())
        }
        request::Received::Start(loaded) => {
            standby.gauge.token = loaded.spec.token;
            let account = loaded.spec.account;
            run::run(outer, &places, standby, loaded.spec)
                .and_then(|ended| ended.report(outer, &places, account, loaded.entries))
        }
    };
    // Whatever went wrong, nothing of the run stays alive behind the last frame.
    reap::kill_and_reap(reap::PATIENCE);
    result?;
    outer.linger(finish::LINGER);
    Ok(())
}
