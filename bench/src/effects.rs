//! What files and the trace cost: the same small programs plain, with a workspace, and traced, interleaved.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{
    machine,
    plan::Plan,
    product::Product,
    programs::{self, Program},
    raw, show,
    stats::{median, quantile},
    ways::timed,
};

const PLAIN: &str = "plain";

/// Marks in the page between which the table stands.
const BEGIN: &str = "<!-- measured by `scripts/bench.sh effects --into docs/effects.md` -->\n";
const END: &str = "<!-- end of what was measured -->\n";

struct Row {
    key: &'static str,
    about: &'static str,
    command: Command,
    program: Program,
    samples: Vec<f64>,
    /// Runs that found no warm container, which are not among the samples.
    missed: usize,
}

/// Runs all rows in turn, as often as `rounds` says, prints the table, puts it `into` a page and writes the raw samples.
pub(crate) fn effects(plan: &Plan, rounds: usize, into: Option<&Path>) -> Result<()> {
    let (rounds, warm_up) = (plan.rounds(rounds)?, plan.warm_up());
    let product = Product::prepare(&plan.bin)?;
    let scratch = tempfile::tempdir()?;
    let mut rows = rows(&product, scratch.path())?;
    let facts = machine::facts(&product.engine_version);
    show::line(&machine::describe(&facts));
    for round in 0..rounds + warm_up {
        if round % 10 == 0 {
            show::progress(&format!("round {round} of {}", rounds + warm_up));
        }
        for row in &mut rows {
            product.wait_for_quiet()?;
            if row.program.project {
                // Each run packs the same files.
                programs::clean(scratch.path())?;
            }
            let (milliseconds, warm) = product
                .counted(|| timed(&mut row.command, &row.program))
                .with_context(|| row.about.to_owned())?;
            if round >= warm_up && warm {
                row.samples.push(milliseconds);
            } else if round >= warm_up {
                row.missed += 1;
            }
        }
    }
    let value = json!({
        "machine": facts,
        "rounds": rounds,
        "rows": rows.iter().map(|row| json!({
            "key": row.key, "about": row.about, "milliseconds": row.samples, "missed": row.missed,
        })).collect::<Vec<_>>(),
    });
    show::line(&table(&value));
    raw::write(plan, "effects", &value)?;
    match into {
        Some(page) if !plan.quick => refresh(page, &value),
        _ => Ok(()),
    }
}

/// Replaces the table of a page, with the words on how it was measured.
fn refresh(page: &Path, value: &Value) -> Result<()> {
    let shown = page.display();
    let text = fs::read_to_string(page).with_context(|| format!("cannot read {shown}"))?;
    let measured = format!(
        "{} interleaved rounds on this machine: {}\n\n{}",
        value["rounds"],
        machine::describe(&value["machine"]),
        table(value)
    );
    let text = replaced(&text, &measured).with_context(|| format!("cannot refresh {shown}"))?;
    fs::write(page, text).with_context(|| format!("cannot write {shown}"))
}

/// The text with what stands between the marks replaced.
fn replaced(text: &str, measured: &str) -> Result<String> {
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    match parts {
        Some((before, after)) => Ok(format!("{before}{BEGIN}\n{measured}\n{END}{after}")),
        None => bail!(
            "it has no marks {} and {}",
            BEGIN.trim_end(),
            END.trim_end()
        ),
    }
}

fn rows(product: &Product, scratch: &Path) -> Result<Vec<Row>> {
    let project = programs::project(scratch)?;
    let walk = programs::walk();
    let children = Program::new(
        "files",
        "writes 50 files and starts one process",
        "import os\n\
         for index in range(50):\n    open(f'/tmp/{index}', 'w').close()\n\
         os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)\nprint('done')\n",
        "done\n",
    );
    let mut all = Vec::new();
    let mut add = |key, about, program: &Program, options: &[&str]| -> Result<()> {
        // A script goes in with its workspace; those that bring none lie elsewhere.
        let folder = if options.contains(&"--workspace") {
            scratch.join("project")
        } else {
            scratch.to_owned()
        };
        let script = folder.join(format!("{}.py", program.name));
        fs::write(&script, &program.source)?;
        let mut command = Command::new(&product.cli);
        command.args(["run", "-q"]).args(options).arg(&script);
        all.push(Row {
            key,
            about,
            command,
            program: program.clone(),
            samples: Vec::new(),
            missed: 0,
        });
        Ok(())
    };
    let folder = project.to_str().context("the folder's name is no text")?;
    let print = programs::print_hi();
    add(PLAIN, "`print('hi')`", &print, &[])?;
    add("trace", "the same with `--trace`", &print, &["--trace"])?;
    add(
        "busy",
        "50 files written, one process started",
        &children,
        &[],
    )?;
    add(
        "busy-trace",
        "the same with `--trace`",
        &children,
        &["--trace"],
    )?;
    add(
        "workspace",
        "with a workspace of 200 files, 5 MB",
        &walk,
        &["--workspace", folder],
    )?;
    add(
        "workspace-trace",
        "the same with `--trace`",
        &walk,
        &["--workspace", folder, "--trace"],
    )?;
    Ok(all)
}

/// The table, from the raw samples.
pub(crate) fn table(value: &Value) -> String {
    let rows = value["rows"].as_array().cloned().unwrap_or_default();
    let plain = rows
        .iter()
        .find(|row| row["key"] == PLAIN)
        .map_or(f64::NAN, |row| median(&raw::numbers(&row["milliseconds"])));
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let times = raw::numbers(&row["milliseconds"]);
            let p50 = median(&times);
            vec![
                row["about"].as_str().unwrap_or_default().to_owned(),
                format!("{} / {}", times.len(), row["missed"]),
                format!("{p50:.2}"),
                format!("{:.2}", quantile(&times, 90)),
                format!("{:.2}", p50 / plain),
            ]
        })
        .collect();
    show::markdown(
        &[
            "`saferunctl run`",
            "warm / missed",
            "p50 ms",
            "p90 ms",
            "x the plain run",
        ],
        &lines,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_of_the_page_is_replaced() {
        let page = include_str!("../../docs/effects.md");
        let once = replaced(page, "a\n").expect("the page has the marks");
        assert_eq!(replaced(&once, "a\n").expect("still"), once);
        let (before, rest) = page.split_once(BEGIN).expect("the mark");
        let (_, after) = rest.split_once(END).expect("the mark");
        assert_eq!(once, format!("{before}{BEGIN}\na\n\n{END}{after}"));
        assert!(replaced("no marks", "a").is_err());
        assert!(replaced(&format!("{END}{BEGIN}"), "a").is_err());
    }

    #[test]
    fn the_table_says_how_many_runs_were_warm_and_how_many_were_not() {
        let value = json!({"rows": [
            {"key": PLAIN, "about": "one", "milliseconds": [1.0, 2.0, 3.0], "missed": 2},
            {"key": "trace", "about": "two", "milliseconds": [4.0], "missed": 0},
        ]});
        let told = table(&value);
        assert!(told.contains("| one | 3 / 2 | 2.00 |"), "{told}");
        assert!(
            told.contains("| two | 1 / 0 | 4.00 | 4.00 | 2.00 |"),
            "{told}"
        );
    }
}
