//! `saferunctl`: the `SafeRun` command line. A contents page: each command is a module.

mod apply;
#[expect(clippy::doc_markdown, reason = "help texts are shown as they stand")]
mod args;
mod bench;
mod commands;
mod daemon;
mod doctor;
mod exit;
mod failure;
mod hook;
mod policy;
mod record;
mod run;
mod scan;
mod self_check;
mod ui;
mod units;
mod watch;

use std::{io::IsTerminal, time::Instant};

use args::{Cli, Command};
use clap::Parser;
use failure::Failure;
use ui::Paint;

fn main() {
    let began = Instant::now();
    let mut line: Vec<_> = std::env::args_os().collect();
    if run::is_stand_in(line.first()) {
        line = match run::translate(line.into_iter(), std::io::stdin().is_terminal(), |name| {
            std::path::Path::new(name).exists()
        }) {
            Ok(line) => line,
            Err((code, why)) => {
                ui::note(why);
                ui::leave(code)
            }
        };
    }
    let cli = Cli::try_parse_from(line).unwrap_or_else(|error| refuse(&error));
    ui::choose_colour(cli.global.color);
    // One thread: the work is one connection, and threads cost time to start.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build();
    let code = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(cli, began)),
        Err(error) => Err(Failure::failed(
            format!("cannot start: {error}"),
            "check the limit on open files: ulimit -n",
        )),
    };
    ui::leave(code.unwrap_or_else(|failure| {
        ui::err(failure.text());
        failure.exit
    }))
}

/// Shows what clap says, in which the names stand that it was given, and ends the process.
fn refuse(error: &clap::Error) -> ! {
    let text = error.render();
    let paint = if error.use_stderr() {
        Paint::stderr()
    } else {
        Paint::stdout()
    };
    let text = if paint.on() {
        ui::harmless(&text.ansi().to_string())
    } else {
        ui::harmless(&text.to_string())
    };
    if error.use_stderr() {
        ui::err(text);
        if let Some(hint) = args::hint(error) {
            ui::err(format!("{hint}\n"));
        }
    } else {
        ui::out(text);
    }
    ui::leave(u8::try_from(error.exit_code()).unwrap_or(exit::USAGE))
}

async fn dispatch(cli: Cli, began: Instant) -> Result<u8, Failure> {
    let global = &cli.global;
    match cli.command {
        Command::Run(args) => Ok(run::run(&args, global, began).await),
        Command::Apply(args) => apply::apply(&args),
        Command::Check { files } => Ok(scan::check(&files)),
        Command::Explain { rule } => scan::explain(rule.as_deref()),
        Command::Policy(command) => policy::policy(&command),
        Command::Scan(args) => scan::scan(&args),
        Command::Watch(args) => watch::watch(&args, global).await,
        Command::History(args) => record::history(&args, global).await,
        Command::Show(args) => record::show(&args, global).await,
        Command::Export(args) => record::export(&args, global).await,
        Command::Rerun(args) => record::rerun(&args, global).await,
        Command::Logs(args) => record::logs(&args, global).await,
        Command::Ps { json } => commands::ps(json, global).await,
        Command::Kill { id } => commands::kill(&id, global).await,
        Command::Status { json } => commands::status(json, global).await,
        Command::Doctor { fix: true, yes, .. } => doctor::mend(yes).await,
        Command::Doctor { json, .. } => doctor::doctor(json).await,
        Command::SelfCheck { json, runtime } => {
            self_check::self_check(json, runtime.as_deref(), global).await
        }
        Command::Bench(args) => bench::bench(&args, global).await,
        Command::Hook(args) => hook::hook(&args).await,
        Command::Image(command) => commands::image(&command, global).await,
        Command::Daemon(command) => commands::daemon(command, global).await,
        Command::Completions { shell } => {
            commands::completions(shell);
            Ok(0)
        }
        Command::Man => commands::man(),
    }
}
