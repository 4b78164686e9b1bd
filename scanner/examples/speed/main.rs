//! Measures the scanner side by side with the bare parse of the same files and with other tools, and prints
//! `docs/scanner-speed.md`. `make bench-scanner` sets the other tools up and runs it: `speed [--rounds N]
//! [--only bare|scan] [--json FILE] [--fact TEXT]... [--missing TEXT]...
//! [--tool 'NAME|one or all|CODES|PROGRAM ARGUMENT...']... FOLDER`. `make bench` takes the numbers from the file.

mod json;
mod latency;
mod measure;
mod page;
mod texts;

use std::process::ExitCode;

use measure::{Times, Tool};
use page::About;

struct Arguments {
    folder: String,
    rounds: usize,
    only: Option<String>,
    json: Option<String>,
    tools: Vec<Tool>,
    /// What the figures are figures of: the machine, the versions.
    facts: Vec<String>,
    /// What should have been measured beside it and was not, with the reason.
    missing: Vec<String>,
}

fn arguments() -> Result<Arguments, String> {
    let mut given = std::env::args().skip(1);
    let mut all = Arguments {
        folder: String::new(),
        rounds: 5,
        only: None,
        json: None,
        tools: Vec::new(),
        facts: Vec::new(),
        missing: Vec::new(),
    };
    while let Some(word) = given.next() {
        let mut value = || given.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--rounds" => all.rounds = value()?.parse().map_err(|_| "--rounds needs a number")?,
            "--only" => all.only = Some(value()?),
            "--json" => all.json = Some(value()?),
            "--tool" => all.tools.push(Tool::parse(&value()?)?),
            "--fact" => all.facts.push(value()?),
            "--missing" => all.missing.push(value()?),
            _ => all.folder = word,
        }
    }
    if all.folder.is_empty() {
        return Err("name a folder with Python files, as /usr/lib/python3.11".to_owned());
    }
    if all.rounds == 0 {
        return Err("--rounds needs at least one".to_owned());
    }
    Ok(all)
}

#[expect(clippy::print_stdout, reason = "the page is what this program is for")]
#[expect(clippy::print_stderr, reason = "progress, for whoever waits")]
fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("speed: {problem}");
            return ExitCode::from(2);
        }
    };
    let texts = texts::read(&arguments.folder);
    if texts.is_empty() {
        eprintln!("speed: no Python file in {}", arguments.folder);
        return ExitCode::from(2);
    }
    if let Some(only) = &arguments.only {
        // For a profiler: one thing, as often as asked for.
        for _ in 0..arguments.rounds {
            let time = match only.as_str() {
                "bare" => measure::bare(&texts, 1),
                _ => measure::scan(&texts, 1),
            };
            eprintln!("{only} {time:?}");
        }
        return ExitCode::SUCCESS;
    }
    let mut times = Times::default();
    for round in 0..arguments.rounds {
        eprintln!("round {} of {}", round + 1, arguments.rounds);
        times.round(&texts, &arguments.folder, &arguments.tools, round);
    }
    eprintln!("latency");
    let latency = latency::measure(&texts);
    if let Some(path) = &arguments.json {
        let numbers = json::numbers(&arguments.folder, &texts, &times, &latency);
        if let Err(error) = std::fs::write(path, numbers.to_string()) {
            eprintln!("speed: {path}: {error}");
            return ExitCode::FAILURE;
        }
    }
    let about = About {
        folder: &arguments.folder,
        facts: &arguments.facts,
        missing: &arguments.missing,
    };
    print!("{}", page::page(&about, &texts, &times, &latency));
    ExitCode::SUCCESS
}
