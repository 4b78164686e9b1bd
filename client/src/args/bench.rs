//! Options of `bench`.

use clap::Args;

// Options of `bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Rounds that count, 5 to 1000; each runs each program once in each way
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = rounds)]
    pub(crate) rounds: usize,
    /// Print JSON with all samples, in milliseconds
    #[arg(long)]
    pub(crate) json: bool,
}

fn rounds(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(rounds @ 5..=1000) => Ok(rounds),
        _ => Err(format!("`{text}` is no number from 5 to 1000")),
    }
}
