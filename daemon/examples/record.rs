//! Measures the record at the size that years of use give it: `make bench-record`. Prints a table in Markdown.

#![expect(clippy::print_stdout, reason = "a measurement that is printed")]

use std::path::Path;

const SOURCE: &str = include_str!("../../examples/safe_example.py");

fn main() -> Result<(), String> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("give an empty folder for the record")?;
    let runs = args
        .next()
        .unwrap_or_else(|| "100000".to_owned())
        .parse()
        .map_err(|error| format!("the number of runs: {error}"))?;
    let path = Path::new(&folder).join("audit.sqlite");
    let output: String = (0..100)
        .map(|n| format!("line {n} of the output\n"))
        .collect();
    let figures = saferund::measure::measure(&path, runs, SOURCE.as_bytes(), output.as_bytes())?;
    let bytes = std::fs::metadata(&path)
        .map_err(|error| error.to_string())?
        .len();
    println!(
        "{runs} runs, each with {} bytes of code and {} of output; the file has {} MiB.\n",
        SOURCE.len(),
        output.len(),
        bytes >> 20
    );
    println!("| what | median | longest |\n|---|---|---|");
    for figure in figures {
        println!(
            "| {} | {:.1} ms | {:.1} ms |",
            figure.what,
            figure.median.as_secs_f64() * 1000.0,
            figure.longest.as_secs_f64() * 1000.0
        );
    }
    Ok(())
}
