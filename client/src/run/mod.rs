//! `run`: from the command line to one request, from the events to output and an exit code.

mod clock;
mod diff;
mod input;
mod lines;
mod live;
mod modules;
mod output;
mod report;
mod request;
mod save;
mod secrets;
pub(crate) mod signals;
mod source;
mod stand_in;
mod story;
mod suggest;
mod workspace;

use std::{
    io::IsTerminal,
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonrpsee::core::client::Subscription;
use saferun_protocol::{ApiClient, Client, Event, Outcome, RunRequest, RunResult, Stream};

use crate::{
    apply,
    args::{Global, RunArgs},
    daemon, exit,
    failure::Failure,
    ui,
};
use clock::Clock;
pub(crate) use diff::{Originals, summary, texts};
use input::{Feeder, Input};
pub(crate) use lines::Lines;
pub(crate) use live::Live;
use output::Output;
pub(crate) use report::{next as next_step, sentence};
pub(crate) use request::{check_size, person_present};
use signals::Signals;
pub(crate) use stand_in::translate;
pub(crate) use story::story as told_after;
pub(crate) use workspace::Original;
use workspace::Sent;

/// How long a daemon that stops may go on answering that it does.
const HAND_OVER: Duration = Duration::from_secs(25);
/// Between two looks for the next daemon.
const NEXT_DAEMON: Duration = Duration::from_millis(20);
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
pub(crate) async fn run(args: &RunArgs, global: &Global, began: Instant) -> u8 {
    let mut clock = Clock::since(began);
    clock.end("command line");
    match attempt(args, global, clock).await {
        Ok(code) => code,
        Err(failure) => {
            if args.json {
                ui::line(ui::json(&failure.json()));
            } else if args.stream {
                let mut event = failure.json();
                event["event"] = "error".into();
                ui::line(ui::json(&event));
            }
            ui::err(failure.text());
            failure.exit
        }
    }
}

async fn attempt(args: &RunArgs, global: &Global, mut clock: Clock) -> Result<u8, Failure> {
    let source = source::read(args)?;
    let input = input::choose(args)?;
    let sent = workspace::gather(args, &source.bytes)?;
    clock.end("script and files");
    let request = request::build(args, source, &sent, &input)?;
    say_what_stays(args, &sent);
    let target = apply::target(args)?;
    let originals = (args.diff || target.is_some() || args.suggest_policy.is_some())
        .then(|| originals(&request, sent));
    let signals = signals::watch();
    clock.end("policy and request");
    let held = hold_until_taken(args, global, &request, input, signals, &mut clock).await?;
    let Some((conversation, result)) = held else {
        return Ok(0);
    };
    let Conversation {
        output,
        interrupted,
        written,
        ..
    } = conversation;
    let sanitised = output.finish(&result);
    signals::run_is_over();
    let mut code = exit::of_result(&result);
    if interrupted {
        // It was asked to end; that it may have ended by itself in the same moment changes nothing.
        code = exit::CANCELLED;
    }
    if args.timing {
        ui::err(clock.table(result.sandbox.warm));
    }
    if let (Some(originals), Some(effects)) = (&originals, &result.effects)
        && args.diff
        && !args.json
        && !args.stream
    {
        ui::out(diff::unified(effects, originals));
    }
    if args.trace && !args.json && !args.stream {
        ui::err(story::story(&result));
    }
    if let Some(folder) = &args.out
        && !say_what_was_saved(args, folder, &result)
        && code == 0
    {
        code = exit::FAILED;
    }
    if interrupted && target.is_some() {
        ui::note("saferunctl: interrupted: nothing was applied");
    }
    // What was refused has changed nothing, and the refusal is all that there is to say.
    let worth = !interrupted && result.status != Outcome::Blocked;
    if let (Some(target), Some(originals), true) = (&target, &originals, worth)
        && let Err(failure) = target.apply(&result, originals)
    {
        ui::err(failure.text());
        code = if code == 0 { failure.exit } else { code };
    }
    if let (Some(file), Some(originals)) = (&args.suggest_policy, &originals)
        && let Err(failure) = suggest(file, &result, script_name(&request), written, originals)
    {
        ui::err(failure.text());
        code = if code == 0 { failure.exit } else { code };
    }
    let to_person = std::io::stderr().is_terminal() && !args.json && !args.stream;
    ui::err(report::after(&result, args.quiet, to_person, sanitised));
    Ok(code)
}

/// Has the run done by a daemon. One that goes while this command comes hands it over to the next, also where it had
/// taken it but not begun. `None`: it goes on without this command.
async fn hold_until_taken(
    args: &RunArgs,
    global: &Global,
    request: &RunRequest,
    mut input: Input,
    mut signals: Signals,
    clock: &mut Clock,
) -> Result<Option<(Conversation, RunResult)>, Failure> {
    loop {
        let client = Arc::new(daemon::reach(global.may_start()).await?);
        clock.connected();
        let in_time = clock.elapsed() < HAND_OVER;
        let events = match client.subscribe_run(request.clone()).await {
            Ok(events) => events,
            Err(error) if daemon::drains(&error) && in_time => {
                tokio::time::sleep(NEXT_DAEMON).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let mut conversation = Conversation {
            feeder: Feeder::new(Arc::clone(&client), input),
            output: Output::new(args),
            client,
            events,
            signals,
            id: None,
            interrupted: false,
            written: [0; 2],
        };
        let Some(result) = conversation.hold().await? else {
            return Ok(None);
        };
        clock.answered(&result);
        // Whoever reads the events has seen that it was taken, and is told the end of just that run.
        if !(result.drained && in_time) || conversation.interrupted || args.stream {
            return Ok(Some((conversation, result)));
        }
        (input, signals) = (conversation.feeder.untouched(), conversation.signals);
        tokio::time::sleep(NEXT_DAEMON).await;
    }
}

/// Says what of a project does not go in.
fn say_what_stays(args: &RunArgs, sent: &Sent) {
    if args.quiet {
        return;
    }
    if !sent.left_out.is_empty() {
        let shown: Vec<String> = sent
            .left_out
            .iter()
            .take(5)
            .map(|path| ui::one_line(path))
            .collect();
        let more = match sent.left_out.len() - shown.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let names = shown.join(", ");
        ui::note(format!(
            "saferunctl: left out as secrets: {names}{more}; --include NAME sends one"
        ));
    }
    for note in &sent.notes {
        ui::note(format!("saferunctl: {}", ui::one_line(note)));
    }
}

/// Saves what came back in `/out` and says so; whether all of it was saved.
fn say_what_was_saved(args: &RunArgs, folder: &std::path::Path, result: &RunResult) -> bool {
    let told = result.artifacts_left_behind.is_some();
    let saved = save::save(folder, &result.artifacts, told, args.force);
    if !args.quiet && !saved.written.is_empty() {
        let (count, names) = (saved.written.len(), saved.written.join(", "));
        let names: String = names.chars().take(200).collect();
        ui::note(format!(
            "saferunctl: saved {count} in {}: {names}",
            ui::path(folder)
        ));
    }
    for failed in &saved.failed {
        ui::note(format!("saferunctl: {failed}"));
    }
    saved.failed.is_empty() && result.artifacts_left_behind.is_none()
}

/// Writes the policy that a run suggests; never over a file.
fn suggest(
    file: &std::path::Path,
    result: &RunResult,
    script: &str,
    [stdout, stderr]: [u64; 2],
    originals: &Originals,
) -> Result<(), Failure> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};

    let files = originals.iter();
    let files = files.map(|(name, original)| (name.as_str(), original.bytes.as_slice()));
    let policy = suggest::policy(result, script, stdout.max(stderr), files).map_err(|why| {
        Failure::failed(
            format!("no policy is suggested: {why}"),
            "run it to its end first",
        )
    })?;
    let shown = ui::path(file);
    let mut new = std::fs::OpenOptions::new();
    new.write(true).create_new(true).mode(0o600);
    new.open(file)
        .and_then(|mut file| file.write_all(policy.as_bytes()))
        .map_err(|error| {
            Failure::failed(
                format!("cannot write {shown}: {error}"),
                "name a file that is not there yet",
            )
        })?;
    ui::note(format!(
        "saferunctl: wrote {shown}; try it: saferunctl run --policy {shown} ..."
    ));
    Ok(())
}

/// What was sent, to compare with.
fn originals(request: &RunRequest, sent: Sent) -> Originals {
    let mut originals = sent.files;
    // The request's own base64 is sound.
    let encoded = request.source_base64.as_ref();
    let encoded = encoded.and_then(|base64| STANDARD.decode(base64).ok());
    let script = Original {
        bytes: encoded.unwrap_or_else(|| request.source.clone().into_bytes()),
        executable: false,
    };
    originals.insert(script_name(request).to_owned(), script);
    originals
}

/// The script's path below the workspace.
fn script_name(request: &RunRequest) -> &str {
    request.file_name.as_deref().unwrap_or(workspace::SCRIPT)
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
    /// Bytes of standard output and standard error.
    written: [u64; 2],
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
                }
                Event::StdinCredit { bytes } => {
                    self.feeder.start(self.id.as_deref().unwrap_or_default());
                    self.feeder.credit(*bytes);
                }
                _ => {}
            }
            if let Some((stream, bytes)) = output::written(&event) {
                self.written[usize::from(stream == Stream::Stderr)] += bytes;
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
