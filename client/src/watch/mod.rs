//! `watch`: what the daemon finds in folders, as it lands: a calm table on a terminal, lines or JSON elsewhere.

mod lines;
mod list;
mod live;
mod state;

use std::{io::IsTerminal, path::Path};

use saferun_protocol::{ApiClient, HostPath, Risk, WatchEvent, WatchRequest};
use saferun_scanner::Level;

use list::list;

use crate::{
    args::{Global, WatchArgs, WatchCommand},
    daemon, exit,
    failure::Failure,
    run::signals,
    ui,
};

/// Where the events go.
enum View {
    Json,
    Lines,
    Live(live::Live),
}

/// Watches until it is interrupted. 130: by Ctrl-C; 125: the daemon went away.
pub(crate) async fn watch(args: &WatchArgs, global: &Global) -> Result<u8, Failure> {
    match &args.command {
        Some(WatchCommand::List { json }) => return list(*json).await,
        Some(WatchCommand::Release { file }) => {
            let client = daemon::reach(global.may_start()).await?;
            client.watch_release(absolute(file)?).await?;
            return Ok(0);
        }
        None => {}
    }
    let mut request = WatchRequest::new(
        args.folders
            .iter()
            .map(|folder| absolute(folder))
            .collect::<Result<_, _>>()?,
    );
    request.only_generated = args.generated;
    request.least = args.least.map(risk);
    let client = daemon::reach(global.may_start()).await?;
    let mut signals = signals::watch();
    let mut events = client.subscribe_watch(request).await?;
    let mut view = if args.json {
        View::Json
    } else if std::io::stdout().is_terminal() {
        View::Live(live::Live::default())
    } else {
        View::Lines
    };
    loop {
        let drawn = match &mut view {
            View::Live(live) => live.due(),
            _ => None,
        };
        tokio::select! {
            () = signals.next() => break,
            event = events.next() => match event {
                Some(Ok(event)) => view.take(&event),
                Some(Err(error)) => return Err(Failure::failed(
                    format!("the daemon said what this saferunctl does not understand: {error}"),
                    "use the two of the same version: saferunctl daemon stop",
                )),
                None => {
                    return Err(Failure::failed(
                        "the watch ended: the daemon went away, or this reader was too slow",
                        "see `saferunctl daemon logs`, and start the watch again",
                    ));
                }
            },
            () = at(drawn) => if let View::Live(live) = &mut view { live.draw() },
        }
    }
    if let View::Live(live) = &mut view {
        live.draw();
    }
    Ok(exit::CANCELLED)
}

impl View {
    fn take(&mut self, event: &WatchEvent) {
        match self {
            Self::Json => ui::line(ui::json(event)),
            Self::Lines => lines::write(event),
            Self::Live(live) => live.take(event),
        }
    }
}

async fn at(time: Option<tokio::time::Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// A path that the daemon, whose folder is another, understands.
fn absolute(path: &Path) -> Result<HostPath, Failure> {
    match std::path::absolute(path) {
        Ok(path) => Ok(HostPath::from(path.as_path())),
        Err(error) => Err(Failure::usage(
            format!("{}: {error}", ui::path(path)),
            "name a path that exists",
        )),
    }
}

fn risk(level: Level) -> Risk {
    match level {
        Level::Low => Risk::Low,
        Level::Medium => Risk::Medium,
        Level::High => Risk::High,
        Level::Blocked => Risk::Blocked,
    }
}
