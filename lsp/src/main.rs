//! `saferun-lsp`: a language server over standard input and output. It scans in process and asks the daemon to run.
//! Standard output carries the protocol and nothing else.

mod actions;
mod commands;
mod daemon;
mod diagnostics;
mod document;
mod faults;
mod hover;
mod input;
mod lens;
mod notebook;
mod parent;
mod policy;
mod policy_file;
mod position;
mod rewrite;
mod run;
mod scan;
mod server;
mod settings;
mod state;
mod suppress;
mod text;
mod workspace;

use std::{io::Write as _, process::ExitCode, sync::Arc, time::Duration};

use tower_lsp_server::{LspService, Server as Transport};

const HELP: &str = "\
saferun-lsp: the SafeRun language server

Usage: saferun-lsp [--stdio]

Editors start it and speak the Language Server Protocol with it over standard input and output.
It shows what Python code means to do while you type, and runs it in the sandbox on request.

Options:
      --stdio    Speak over standard input and output (the default, and the only way)
  -h, --help     Show this
  -V, --version  Show the version

Environment:
  SAFERUN_SOCKET  The daemon's socket, where it is not at its usual place

Example, Helix (languages.toml):
  [language-server.saferun]
  command = \"saferun-lsp\"
";

fn main() -> ExitCode {
    for argument in std::env::args_os().skip(1) {
        let said = match argument.to_str() {
            Some("--stdio") => continue,
            Some("-h" | "--help") => HELP.to_owned(),
            Some("-V" | "--version") => format!("saferun-lsp {}\n", env!("CARGO_PKG_VERSION")),
            _ => {
                let shown = argument.to_string_lossy();
                let _ = writeln!(
                    std::io::stderr(),
                    "saferun-lsp: there is no option {}\n  see saferun-lsp --help",
                    text::one_line(&shown)
                );
                return ExitCode::from(2);
            }
        };
        return match std::io::stdout().write_all(said.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(32)
        .thread_stack_size(4 * 1024 * 1024)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "saferun-lsp: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(serve());
    // A read of standard input or a scan may still be under way; nobody waits for it.
    runtime.shutdown_timeout(Duration::from_millis(100));
    ExitCode::SUCCESS
}

async fn serve() {
    let mut shared = None;
    let (service, socket) = LspService::build(|client| {
        let state = Arc::new(state::Shared::new(client));
        shared = Some(Arc::clone(&state));
        server::Server { shared: state }
    })
    .custom_method(
        "window/workDoneProgress/cancel",
        server::Server::progress_cancelled,
    )
    .finish();
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    tokio::spawn(input::pass(
        tokio::io::BufReader::new(tokio::io::stdin()),
        ours,
    ));
    Transport::new(theirs, tokio::io::stdout(), socket)
        .concurrency_level(64)
        .serve(service)
        .await;
    if let Some(shared) = shared {
        shared.runs.cancel(None);
        shared.reports.remove();
    }
}
