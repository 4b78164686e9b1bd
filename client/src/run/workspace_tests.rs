//! What goes in, and what stays at home.

use clap::Parser;

use super::*;
use crate::args::{Cli, Command};

fn args(line: &[&str]) -> RunArgs {
    let cli = Cli::parse_from([&["saferunctl", "run"], line].concat());
    match cli.command {
        Command::Run(args) => *args,
        _ => unreachable!(),
    }
}

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

#[test]
fn a_project_goes_without_secrets_links_and_what_git_ignores() {
    let dir = project(&[
        ("main.py", "print(1)"),
        ("lib/a.py", ""),
        (".gitignore", "*.log\nbuild/\n"),
        ("x.log", ""),
        ("build/out", ""),
        (".env", "KEY=1"),
        ("deploy/id_rsa", "k"),
        (".hidden", ""),
        (".git/config", ""),
    ]);
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
    let root = dir.path().to_str().unwrap();
    let sent = |more: &[&str]| {
        let line = [&["--workspace", root, "main.py"], more].concat();
        gather(&args(&line), b"").unwrap()
    };
    let plain = sent(&[]);
    assert_eq!(plain.script.as_deref(), Some("main.py"));
    assert_eq!(
        plain.files.keys().collect::<Vec<_>>(),
        [".gitignore", ".hidden", "lib/a.py"]
    );
    assert_eq!(plain.left_out, [".env", "deploy/id_rsa"]);
    let named = sent(&["--include", ".env", "--include", "x.log"]);
    assert_eq!(
        named.files.keys().collect::<Vec<_>>(),
        [".env", ".gitignore", ".hidden", "lib/a.py", "x.log"]
    );
    assert_eq!(named.left_out, ["deploy/id_rsa"]);
}

#[test]
fn single_files_have_a_place() {
    let dir = project(&[("data.csv", "1,2"), ("main.py", "")]);
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let at = format!("{}:in/d.csv", path("data.csv"));
    let line = [&path("main.py"), "--file", &at, "--file", &path("data.csv")];
    let sent = gather(&args(&line.map(|s: &str| s)), b"").unwrap();
    assert_eq!(
        sent.files.keys().collect::<Vec<_>>(),
        ["data.csv", "in/d.csv"]
    );
    assert_eq!(sent.files["in/d.csv"].bytes, b"1,2");
    for bad in [
        "/nonexistent",
        "/etc",
        &format!("{}:../x", path("data.csv")),
    ] {
        let line = [path("main.py"), "--file".to_owned(), bad.to_owned()];
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        assert_eq!(gather(&args(&line), b"").unwrap_err().exit, 2, "{bad}");
    }
}

#[test]
fn what_is_too_large_is_named() {
    let dir = project(&[("main.py", "")]);
    File::create(dir.path().join("model.bin"))
        .unwrap()
        .set_len(9 << 20)
        .unwrap();
    let root = dir.path().to_str().unwrap();
    let failure = gather(&args(&["--workspace", root, "main.py"]), b"").unwrap_err();
    assert!(failure.message.contains("model.bin"), "{}", failure.message);
    let elsewhere = gather(&args(&["--workspace", root, "/etc/hostname"]), b"").unwrap_err();
    assert!(
        elsewhere.message.contains("not in the workspace"),
        "{}",
        elsewhere.message
    );
}

#[test]
fn a_script_from_elsewhere_stands_beside_the_projects_files() {
    let dir = project(&[("main.py", "print(1)"), ("lib.py", "")]);
    let root = dir.path().to_str().unwrap();
    for line in [
        &["--workspace", root, "-c", "import lib"][..],
        &["--workspace", root, "-"],
    ] {
        let sent = gather(&args(line), b"import lib").unwrap();
        assert_eq!(sent.script.as_deref(), Some("main-2.py"));
        assert_eq!(sent.files.keys().collect::<Vec<_>>(), ["lib.py", "main.py"]);
    }
    let empty = project(&[("lib.py", "")]);
    let root = empty.path().to_str().unwrap();
    let sent = gather(&args(&["--workspace", root, "-c", "import lib"]), b"").unwrap();
    assert_eq!(sent.script.as_deref(), Some("main.py"));
}

#[test]
fn what_is_included_is_found_in_a_folder_however_large() {
    let dir = project(&[
        ("main.py", "print(1)"),
        (".gitignore", "node_modules/\nz.log\n"),
        ("z.log", "1"),
        ("zz/.env", "KEY=1"),
    ]);
    let many = dir.path().join("node_modules");
    fs::create_dir(&many).unwrap();
    for number in 0..=MOST_CONSIDERED {
        File::create(many.join(format!("{number}.js"))).unwrap();
    }
    let root = dir.path().to_str().unwrap();
    let named = [
        "--workspace",
        root,
        "main.py",
        "--include",
        "z.log",
        "--include",
        "/zz/.env",
    ];
    let sent = gather(&args(&named), b"").unwrap();
    assert_eq!(
        sent.files.keys().collect::<Vec<_>>(),
        [".gitignore", "z.log", "zz/.env"]
    );
    assert!(sent.notes.is_empty(), "{:?}", sent.notes);
    let all = ["--workspace", root, "main.py", "--include", "node_modules"];
    assert_eq!(gather(&args(&all), b"").unwrap_err().exit, 2);
}

#[test]
fn a_walk_that_comes_to_its_bound_says_so() {
    let dir = project(&[("a", ""), ("b", ""), ("c", "")]);
    // The folder itself is looked at as well.
    for (most, files, cut) in [(4, 3, false), (3, 2, true), (0, 0, true)] {
        let walked = walk(dir.path(), true, most, |_| true);
        assert_eq!((walked.files.len(), walked.cut), (files, cut), "{most}");
    }
    let none = walk(dir.path(), false, 4, |_| false);
    assert!(none.files.is_empty() && !none.cut);
}
