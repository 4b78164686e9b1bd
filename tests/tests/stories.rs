//! Promise: eight scripts as a model writes them, harmless and not, each told as a short story. The stories stand beside the
//! scripts; `SAFERUN_WRITE_STORIES=1` writes them anew, and `scripts/story-pictures.py` draws them for the docs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use saferun_tests::{Daemon, TRACED, text};

const STORIES: [&str; 8] = [
    "cleanup",
    "exporter",
    "generator",
    "installer",
    "locker",
    "plot",
    "refactoring",
    "testsuite",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/stories")
}

/// Names of temporary files are chance.
fn without_chance(told: &str) -> String {
    let word = |word: &str| {
        let name = word
            .strip_prefix("/tmp/")
            .filter(|name| name.len() == 8 || (name.starts_with("tmp") && name.len() == 11));
        name.map_or_else(|| word.to_owned(), |_| "/tmp/CHANCE".to_owned())
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    told.lines().map(|one| line(one) + "\n").collect()
}

/// The pictures in the docs are those of the stories, which the other test compares with what is told.
#[test]
fn the_pictures_in_the_docs_are_drawn_from_the_stories() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/story-pictures.py");
    // As the README's setup has it: `need_tools` in scripts/lib.sh installs it where it is missing.
    let check = Command::new("python3").arg(script).arg("--check").output();
    let check = check.expect("python3 starts");
    assert!(check.status.success(), "{}", text(&check.stderr));
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/effects.md");
    let docs = fs::read_to_string(docs).expect("the docs");
    for name in STORIES {
        let shown = format!("](stories/{name}.svg)");
        assert!(docs.contains(&shown), "{shown}");
    }
}

#[test]
fn eight_scripts_are_told_as_they_stand_in_the_docs() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    // The plot imports matplotlib.
    daemon.require_image("python-data");
    let out = daemon.folder().join("figures");
    let figures = out.display().to_string();
    let mut differing = Vec::new();
    for name in STORIES {
        let mut line = vec!["run", "--workspace", name, "main.py"];
        if name == "plot" {
            line.extend(["--out", "figures"]);
        }
        line.extend(TRACED);
        let shown = line.join(" ");
        // What is saved does not lie beside the scripts.
        let place = |word| {
            if word == "figures" {
                figures.as_str()
            } else {
                word
            }
        };
        let line: Vec<&str> = line.into_iter().map(place).collect();
        let run = daemon.cli(&line).current_dir(folder()).output();
        let run = run.expect("saferunctl runs");
        assert!(run.status.success(), "{name}: {}", text(&run.stderr));
        let told = format!(
            "$ saferunctl {shown}\n{}{}",
            text(&run.stdout),
            without_chance(&text(&run.stderr).replace(&figures, "figures"))
        );
        let file = folder().join(format!("{name}.txt"));
        if std::env::var_os("SAFERUN_WRITE_STORIES").is_some() {
            fs::write(&file, &told).expect("the story is written");
        }
        let known = fs::read_to_string(&file).unwrap_or_default();
        if known != told {
            differing.push(format!("{name} was\n{known}\nand is\n{told}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    let figure = fs::read(out.join("figure-1.png")).expect("the plot's figure");
    assert!(figure.starts_with(b"\x89PNG\r\n\x1a\n"));
    let found = fs::read_dir(folder()).expect("the folder");
    let folders = found.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_dir()));
    assert_eq!(folders.count(), STORIES.len(), "each script is told");
}
