//! `logs`: output of a run that goes on or has ended, from any byte on.

use std::io::IsTerminal;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{ApiClient, Event, OutputChunk};

use super::find::find;
use crate::{
    args::{Global, LogsArgs},
    daemon, exit,
    failure::Failure,
    run::{
        Live,
        signals::{self, Signals},
    },
    ui,
};

/// Shows the output; with `--follow` until the run ends. On a terminal Ctrl-C ends the program's colours, too.
pub(crate) async fn logs(args: &LogsArgs, global: &Global) -> Result<u8, Failure> {
    // Before there is another thread, which would let a signal end the process.
    let mut signals = std::io::stdout().is_terminal().then(signals::watch);
    let mut live = Live::new(args.raw);
    let code = tokio::select! {
        biased;
        () = asked(&mut signals) => Ok(exit::CANCELLED),
        code = pass_on(args, global, &mut live) => code,
    };
    live.finish();
    code
}

async fn pass_on(args: &LogsArgs, global: &Global, live: &mut Live) -> Result<u8, Failure> {
    let client = daemon::reach(global.may_start()).await?;
    let id = find(&client, &args.id).await?;
    let mut from = args.from;
    loop {
        let before = from;
        let mut events = client.subscribe_logs(id.clone(), from, args.follow).await?;
        let mut ended = false;
        while let Some(event) = events.next().await {
            match event.map_err(|error| unreadable(&error))? {
                Event::Output { stream, chunk } => {
                    from += length(&chunk);
                    if let Err(error) = live.write(stream, &chunk) {
                        ui::output_failed(&error);
                    }
                }
                Event::Finished { .. } => {
                    ended = true;
                    break;
                }
                _ => {}
            }
        }
        // A reader that is too slow is cut off by its own buffer, and takes up where it was; one that gets nothing
        // further has it all, or has lost the daemon.
        if ended || from == before {
            return if args.follow && !ended {
                Err(Failure::failed(
                    "the connection to the daemon ended before the run did",
                    format!("go on from here: saferunctl logs -f {id} --from {from}"),
                ))
            } else {
                Ok(0)
            };
        }
    }
}

async fn asked(signals: &mut Option<Signals>) {
    match signals {
        Some(signals) => signals.next().await,
        None => std::future::pending().await,
    }
}

fn length(chunk: &OutputChunk) -> u64 {
    match chunk {
        OutputChunk::Text { text } => text.len() as u64,
        OutputChunk::Base64 { base64 } => STANDARD
            .decode(base64)
            .map_or(0, |bytes| bytes.len() as u64),
        OutputChunk::Gap { .. } => 0,
    }
}

fn unreadable(error: &serde_json::Error) -> Failure {
    Failure::failed(
        format!("the daemon sent an event that this saferunctl cannot read: {error}"),
        "use the same version of both: saferunctl daemon restart",
    )
}
