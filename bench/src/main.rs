//! Measures SafeRun beside the alternatives, interleaved in one run, so that the ratios hold when the
//! machine's speed drifts. Prints tables, writes raw samples as JSON, and makes docs/benchmarks.md of
//! them. A contents page.

mod cold;
mod compare;
mod effects;
mod grow;
mod load;
mod machine;
mod page;
mod plot;
mod product;
mod programs;
mod raw;
mod show;
mod stats;
mod ways;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// Benchmarks of SafeRun, as ratios within one run.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder with saferunctl and saferund.
    #[arg(long, global = true, default_value = "target/dist/bin")]
    bin: PathBuf,
    /// Folder for the raw samples.
    #[arg(long, global = true, default_value = "target/bench")]
    out: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Several programs in every way, side by side.
    Compare {
        /// Interleaved rounds that count; three more come first and do not.
        #[arg(long, default_value_t = 40)]
        rounds: usize,
        /// Only these programs (as `print`), by their names in the table.
        #[arg(long, value_delimiter = ',')]
        programs: Vec<String>,
        /// Only these ways, by their short names (as `bare,rpc`).
        #[arg(long, value_delimiter = ',')]
        ways: Vec<String>,
        /// Folder with the peers that `scripts/bench-peers.sh` installed; without it they are left out.
        #[arg(long)]
        peers: Option<PathBuf>,
        /// Folder with the wheels of `python-data`, for the interpreter on the host.
        #[arg(long)]
        packages: Option<PathBuf>,
    },
    /// Sustained runs per second against concurrency, beside a `docker run` loop.
    Load {
        /// Seconds for each point.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// How p50 and p99 grow with concurrency, source size and output size.
    Grow {
        /// Runs for each point.
        #[arg(long, default_value_t = 60)]
        runs: usize,
    },
    /// First run of a new daemon, burst on an empty pool, refill, memory.
    Cold {
        /// How often.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// What a workspace and the trace cost beside a plain run.
    Effects {
        /// Interleaved rounds that count; three more come first and do not.
        #[arg(long, default_value_t = 40)]
        rounds: usize,
    },
    /// Writes docs/benchmarks.md and its plots from the raw samples of the others.
    Page {
        /// Folder for the page.
        #[arg(long, default_value = "docs")]
        docs: PathBuf,
    },
}

fn main() -> ExitCode {
    let Arguments { bin, out, what } = Arguments::parse();
    let done = match what {
        What::Compare {
            rounds,
            programs,
            ways,
            peers,
            packages,
        } => {
            let choice = compare::Choice {
                rounds,
                programs: &programs,
                ways: &ways,
                peers: peers.as_deref(),
                packages: packages.as_deref(),
            };
            compare::compare(&bin, &out, &choice)
        }
        What::Load { seconds } => load::load(&bin, &out, seconds),
        What::Grow { runs } => grow::grow(&bin, &out, runs),
        What::Cold { rounds } => cold::cold(&bin, &out, rounds),
        What::Effects { rounds } => effects::effects(&bin, &out, rounds),
        What::Page { docs } => page::page(&out, &docs),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            show::complain(&error);
            ExitCode::FAILURE
        }
    }
}
