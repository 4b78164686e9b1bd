//! Measures SafeRun beside the alternatives, interleaved in one run, so that the ratios hold when the
//! machine's speed drifts. Prints tables, writes raw samples as JSON, and makes docs/benchmarks.md of
//! them. A contents page.

mod budgets;
mod cold;
mod compare;
mod cpu;
mod daemon;
mod durability;
mod effects;
mod engine;
mod grow;
mod load;
mod machine;
mod page;
mod plan;
mod plot;
mod product;
mod programs;
mod raw;
mod scanner;
mod show;
mod stats;
mod ways;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
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
    /// Only try whether everything works: as few rounds as asked for, and no page among the documents.
    #[arg(long, global = true)]
    quick: bool,
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
    /// Sustained runs per second against concurrency and pool size, beside the engine's own.
    Load {
        /// Seconds for each point in each of two passes.
        #[arg(long, default_value_t = 6)]
        seconds: u64,
        /// Only so many at once (as `4,16`), and no series of pool sizes.
        #[arg(long, value_delimiter = ',')]
        clients: Vec<usize>,
    },
    /// How p50 and p99 grow with source size and output size.
    Grow {
        /// Runs for each point; with fewer than 101 the 99th percentile is the largest.
        #[arg(long, default_value_t = 101)]
        runs: usize,
    },
    /// First run of a new daemon, burst on an empty pool, refill, memory, rest.
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
        /// Page whose table between the marks is replaced; not by a quick try.
        #[arg(long)]
        into: Option<PathBuf>,
    },
    /// What a record costs that survives a loss of power.
    Durability {
        /// Interleaved rounds that count; three more come first and do not.
        #[arg(long, default_value_t = 40)]
        rounds: usize,
    },
    /// The scanner beside the bare parse and bandit.
    Scanner {
        /// The scanner's example `speed`, built.
        #[arg(long, default_value = "target/release/examples/speed")]
        speed: PathBuf,
        /// Folder of Python files.
        #[arg(long, default_value = "/usr/lib/python3.11")]
        folder: PathBuf,
        /// Rounds, each with everything in turn.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// bandit's program; left out if there is none.
        #[arg(long)]
        bandit: Option<PathBuf>,
    },
    /// Writes docs/benchmarks.md and its plots from the raw samples of the others.
    Page {
        /// Folder for the page.
        #[arg(long, default_value = "docs")]
        docs: PathBuf,
    },
}

impl What {
    /// Name of its raw samples.
    fn part(&self) -> Option<&'static str> {
        match self {
            Self::Compare { .. } => Some("compare"),
            Self::Load { .. } => Some("load"),
            Self::Grow { .. } => Some("grow"),
            Self::Cold { .. } => Some("cold"),
            Self::Effects { .. } => Some("effects"),
            Self::Durability { .. } => Some("durability"),
            Self::Scanner { .. } => Some("scanner"),
            Self::Page { .. } => None,
        }
    }
}

fn main() -> ExitCode {
    let Arguments {
        bin,
        out,
        quick,
        what,
    } = Arguments::parse();
    let plan = plan::Plan { bin, out, quick };
    let part = what.part();
    let forgotten = part.map_or(Ok(()), |name| raw::forget(&plan.out, name));
    match forgotten.and_then(|()| carry_out(&plan, what)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            show::complain(&error);
            // What a comparison has of its other programs stays.
            if let Some(name) = part
                && !matches!(raw::read(&plan.out, name), Ok(Some(_)))
                && let Err(error) = raw::write_failure(&plan, name, &error)
            {
                show::complain(&error);
            }
            ExitCode::FAILURE
        }
    }
}

fn carry_out(plan: &plan::Plan, what: What) -> Result<()> {
    match what {
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
            compare::compare(plan, &choice)
        }
        What::Load { seconds, clients } => load::load(plan, seconds, &clients),
        What::Grow { runs } => grow::grow(plan, runs),
        What::Cold { rounds } => cold::cold(plan, rounds),
        What::Effects { rounds, into } => effects::effects(plan, rounds, into.as_deref()),
        What::Durability { rounds } => durability::durability(plan, rounds),
        What::Scanner {
            speed,
            folder,
            rounds,
            bandit,
        } => {
            let choice = scanner::Choice {
                speed: &speed,
                folder: &folder,
                rounds,
                bandit,
            };
            scanner::scanner(plan, &choice)
        }
        What::Page { docs } => page::page(plan, &docs),
    }
}
