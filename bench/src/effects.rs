//! What files and the trace cost: the same small programs plain, with a workspace, and traced, interleaved.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};
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

struct Row {
    key: &'static str,
    about: &'static str,
    command: Command,
    program: Program,
    samples: Vec<f64>,
    /// Runs that found no warm container, which are not among the samples.
    missed: usize,
}

/// Runs all rows in turn, as often as `rounds` says, prints the table and writes the raw samples.
pub(crate) fn effects(plan: &Plan, rounds: usize) -> Result<()> {
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
    raw::write(plan, "effects", &value)
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
