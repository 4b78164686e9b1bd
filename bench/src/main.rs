//! Measures SafeRun beside the alternatives, interleaved in one run, so that the ratios hold when the
//! machine's speed drifts. Prints a table, and the raw samples as JSON. A contents page.

mod report;
mod samples;
mod subjects;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

/// `print('hi')` in every way, side by side.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder with saferunctl and saferund.
    #[arg(long)]
    bin: PathBuf,
    /// Interleaved rounds that count; three more come first and do not.
    #[arg(long, default_value_t = 40)]
    rounds: usize,
    /// Where to write the raw samples.
    #[arg(long, default_value = "target/bench/run.json")]
    json: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match subjects::Subjects::prepare(&arguments.bin)
        .and_then(|mut subjects| samples::take(&mut subjects, arguments.rounds))
        .and_then(|samples| report::write(&samples, &arguments.json))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&error);
            ExitCode::FAILURE
        }
    }
}
