//! `run`: from the command line to one request, from the events to output and an exit code.

mod input;
mod live;
mod output;
mod report;
mod request;
mod signals;
mod source;
mod stand_in;

use std::{
    io::IsTerminal,
    sync::Arc,
    time::{Duration, Instant},
};

use jsonrpsee::core::client::Subscription;
use saferun_protocol::{ApiClient, Client, Event, RunResult};

use crate::{
    args::{Global, RunArgs},
    daemon, exit,
    failure::Failure,
    ui,
};
use input::Feeder;
use output::Output;
use signals::Signals;
pub(crate) use stand_in::translate;

/// How long a run that was interrupted may take to say how it ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Whether saferunctl was started under the name of the stand-in for `python3`.
pub(crate) fn is_stand_in(program: Option<&std::ffi::OsString>) -> bool {
    program
        .map(std::path::Path::new)
        .and_then(std::path::Path::file_name)
        .is_some_and(|name| name == stand_in::NAME)
}

/// Runs the script; returns the exit code. Failures are shown in the form that was asked for.
pub(crate) async fn run(args: &RunArgs, global: &Global) -> u8 {
    match attempt(args, global).await {
        Ok(code) => code,
        Err(failure) => {
            if args.json {
                ui::line(failure.json().to_string());
            } else if args.stream {
                let mut event = failure.json();
                event["event"] = "error".into();
                ui::line(event.to_string());
            }
            ui::err(failure.text());
            failure.exit
        }
    }
}

async fn attempt(args: &RunArgs, global: &Global) -> Result<u8, Failure> {
    let began = Instant::now();
    let source = source::read(args)?;
    let input = input::choose(args)?;
    let request = request::build(args, source, &input)?;
    let signals = signals::watch();
    let client = Arc::new(daemon::reach(global.may_start()).await?);
    let connected = began.elapsed();
    let events = client.subscribe_run(request).await?;
    let mut conversation = Conversation {
        feeder: Feeder::new(Arc::clone(&client), input),
        output: Output::new(args),
        client,
        events,
        signals,
        id: None,
        interrupted: false,
    };
    let Some(result) = conversation.hold().await? else {
        return Ok(0);
    };
    let Conversation {
        output,
        interrupted,
        ..
    } = conversation;
    let sanitised = output.finish(&result);
    let mut code = exit::of_result(&result);
    if interrupted {
        // It was asked to end; that it may have ended by itself in the same moment changes nothing.
        code = exit::CANCELLED;
    }
    if args.timing {
        ui::note(report::timing(&result, connected, began.elapsed()));
    }
    let to_person = std::io::stderr().is_terminal() && !args.json && !args.stream;
    ui::err(report::after(&result, args.quiet, to_person, sanitised));
    Ok(code)
}

/// A run under way, as the client sees it.
struct Conversation {
    client: Arc<Client>,
    events: Subscription<Event>,
    signals: Signals,
    feeder: Feeder,
    output: Output,
    id: Option<String>,
    interrupted: bool,
}

impl Conversation {
    /// Passes events on until the end. `None` for a run that was left to the daemon.
    async fn hold(&mut self) -> Result<Option<RunResult>, Failure> {
        let mut deadline = None;
        loop {
            let event = tokio::select! {
                biased;
                () = self.signals.next() => {
                    self.interrupt().await;
                    deadline.get_or_insert(tokio::time::Instant::now() + LAST_WORDS);
                    continue;
                }
                () = at(deadline) => return Err(self.no_last_words()),
                event = self.events.next() => event,
            };
            let event = match event {
                Some(Ok(event)) => event,
                Some(Err(error)) => {
                    return Err(Failure::failed(
                        format!(
                            "the daemon sent an event that this saferunctl cannot read: {error}"
                        ),
                        "use the same version of both: saferunctl daemon restart",
                    ));
                }
                None if self.interrupted => return Err(self.no_last_words()),
                None => {
                    return Err(Failure::failed(
                        "the connection to the daemon ended before the run did; the run was ended with it",
                        "see why: saferunctl daemon logs",
                    ));
                }
            };
            match &event {
                Event::Accepted { id, .. } => {
                    self.id = Some(id.clone());
                    self.feeder.start(id);
                }
                Event::StdinCredit { bytes } => self.feeder.credit(*bytes),
                _ => {}
            }
            if let Err(error) = self.output.event(&event) {
                self.end_run().await;
                ui::output_failed(&error);
            }
            match event {
                Event::Finished { result } => return Ok(Some(*result)),
                Event::Started if self.output.detached() => {
                    ui::line(self.id.as_deref().unwrap_or_default());
                    return Ok(None);
                }
                _ => {}
            }
        }
    }

    async fn interrupt(&mut self) {
        self.interrupted = true;
        self.end_run().await;
    }

    /// Asks for the end of the run; that the connection ends soon does the same, only later.
    async fn end_run(&self) {
        if let Some(id) = &self.id {
            let _ = tokio::time::timeout(Duration::from_millis(500), self.client.kill(id.clone()))
                .await;
        }
    }

    fn no_last_words(&self) -> Failure {
        let which = self
            .id
            .as_deref()
            .map_or(String::new(), |id| format!(" {id}"));
        Failure {
            exit: exit::CANCELLED,
            message: format!("interrupted; the daemon was told to end the run{which}"),
            advice: None,
        }
    }
}

async fn at(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
