//! What files and the trace cost: the same small programs plain, with a workspace, and traced, interleaved.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    compare::{LEAST_ROUNDS, WARM_UP},
    machine,
    product::Product,
    programs::{self, Program},
    raw, show,
    stats::{median, quantile},
    ways::timed,
};

const FILES: usize = 200;
/// 200 of them are 5 MB.
const FILE_BYTES: usize = 25_000;
const PLAIN: &str = "plain";

struct Row {
    key: &'static str,
    about: &'static str,
    command: Command,
    program: Program,
    samples: Vec<f64>,
}

/// Runs all rows in turn, as often as `rounds` says, prints the table and writes the raw samples.
pub(crate) fn effects(bin: &Path, out: &Path, rounds: usize) -> Result<()> {
    ensure!(
        rounds >= LEAST_ROUNDS,
        "at least {LEAST_ROUNDS} rounds, or the medians mean nothing"
    );
    let product = Product::prepare(bin)?;
    let scratch = tempfile::tempdir()?;
    let mut rows = rows(&product, scratch.path())?;
    let facts = machine::facts(&product.engine_version);
    show::line(&machine::describe(&facts));
    for round in 0..rounds + WARM_UP {
        if round % 10 == 0 {
            show::progress(&format!("round {round} of {}", rounds + WARM_UP));
        }
        for row in &mut rows {
            product.wait_for_warm()?;
            let milliseconds =
                timed(&mut row.command, &row.program).with_context(|| row.about.to_owned())?;
            if round >= WARM_UP {
                row.samples.push(milliseconds);
            }
        }
    }
    let value = json!({
        "machine": facts,
        "rounds": rounds,
        "rows": rows.iter().map(|row| json!({
            "key": row.key, "about": row.about, "milliseconds": row.samples,
        })).collect::<Vec<_>>(),
    });
    show::line(&table(&value));
    raw::write(out, "effects", &value)
}

fn rows(product: &Product, scratch: &Path) -> Result<Vec<Row>> {
    let project = scratch.join("project");
    fs::create_dir(&project)?;
    for index in 0..FILES {
        let line = format!("value_{index} = {index}  # one line of a module\n");
        let text = line.repeat(FILE_BYTES / line.len() + 1);
        let path = project.join(format!("module_{index:03}.txt"));
        fs::write(path, &text.as_bytes()[..FILE_BYTES])?;
    }
    let walk = Program::new(
        "walk",
        "reads each file's name and writes one file",
        "import os\n\
         print(sum(name.startswith('module') for name in os.listdir('.')))\n\
         open('made.txt', 'w').write('made')\n",
        format!("{FILES}\n"),
    );
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
                format!("{p50:.2}"),
                format!("{:.2}", quantile(&times, 90)),
                format!("{:.2}", p50 / plain),
            ]
        })
        .collect();
    show::markdown(
        &["`saferunctl run`", "p50 ms", "p90 ms", "x the plain run"],
        &lines,
    )
}
