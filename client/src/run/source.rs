//! The script: from a file, from standard input, or from the command line. What cannot be a script is
//! refused here, before a daemon is asked for anything.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
};

use saferun_protocol::MAX_REQUEST_BYTES;

use super::workspace::locate;
use crate::{args::RunArgs, failure::Failure, ui, units::show_bytes};

/// A script.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// Base name of its file, if it has one.
    pub(crate) name: Option<String>,
}

/// Reads the script that the command line names.
pub(crate) fn read(args: &RunArgs) -> Result<Source, Failure> {
    if let Some(code) = &args.code {
        if code.trim().is_empty() {
            return Err(Failure::usage(
                "-c was given no code",
                "write it after -c: saferunctl run -c 'print(1)'",
            ));
        }
        return checked(code.clone().into_bytes(), None, "-c");
    }
    // Clap requires one of the two.
    let path = args.file.as_deref().unwrap_or(Path::new("-"));
    if path.as_os_str() == "-" {
        let shown = "standard input";
        return checked(limited(io::stdin().lock(), shown)?, None, shown);
    }
    if path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("ipynb"))
    {
        let shown = ui::path(path);
        return Err(Failure::usage(
            format!("{shown} is a notebook, and what runs is a script"),
            format!(
                "make one of it: jupyter nbconvert --to script {shown}; `saferunctl scan {shown}` reads it as it is"
            ),
        ));
    }
    let located = args.workspace.as_deref();
    let located = located.map(|folder| locate(folder, path)).transpose()?;
    let path = located.as_deref().unwrap_or(path);
    let shown = ui::path(path);
    let file = File::open(path).map_err(|error| unreadable(&shown, &error))?;
    let meta = file
        .metadata()
        .map_err(|error| unreadable(&shown, &error))?;
    if meta.is_dir() {
        return Err(Failure::usage(
            format!("{shown} is a folder, not a script"),
            "name a file in it",
        ));
    }
    if meta.len() > u64::from(MAX_REQUEST_BYTES) {
        return Err(too_large(&shown, meta.len()));
    }
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .map(str::to_owned);
    checked(limited(file, &shown)?, name, &shown)
}

fn limited(reader: impl Read, shown: &str) -> Result<Vec<u8>, Failure> {
    let limit = u64::from(MAX_REQUEST_BYTES);
    let mut bytes = Vec::new();
    reader
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(shown, &error))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(shown, bytes.len() as u64));
    }
    Ok(bytes)
}

fn checked(bytes: Vec<u8>, name: Option<String>, shown: &str) -> Result<Source, Failure> {
    // UTF-16 text is full of NUL bytes: Python refuses both with less to go on.
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(Failure::usage(
            format!("{shown} is not a script but a binary file: byte {at} is NUL"),
            "name a source file; text in UTF-16 must be converted to UTF-8 first",
        ));
    }
    Ok(Source { bytes, name })
}

fn unreadable(shown: &str, error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::NotFound => Failure::usage(
            format!("there is no file {shown}"),
            "check the path; code itself goes after -c",
        ),
        ErrorKind::PermissionDenied => Failure::usage(
            format!("you may not read {shown}"),
            "change its permissions, or pass it on standard input",
        ),
        ErrorKind::IsADirectory => Failure::usage(
            format!("{shown} is a folder, not a script"),
            "name a file in it",
        ),
        _ => Failure::usage(format!("cannot read {shown}: {error}"), "check the path"),
    }
}

/// The error for anything that does not fit into a request.
pub(crate) fn too_large(shown: &str, bytes: u64) -> Failure {
    Failure::usage(
        format!(
            "{shown} is too large to be run: {} of at most {}",
            show_bytes(bytes),
            show_bytes(u64::from(MAX_REQUEST_BYTES))
        ),
        "keep data out of the script and pass it with --stdin",
    )
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn what_is_no_script_is_refused_with_advice() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(file("elf"), b"\x7fELF\0\0").unwrap();
        std::fs::write(file("book.IPYNB"), b"{}").unwrap();
        File::create(file("huge.py"))
            .unwrap()
            .set_len(1 << 33)
            .unwrap();
        for (line, part) in [
            (vec!["-c", " "], "no code"),
            (vec![file("none.py").as_str()], "there is no file"),
            (vec![dir.path().to_str().unwrap()], "is a folder"),
            (vec![file("elf").as_str()], "binary file"),
            (
                vec![file("huge.py").as_str()],
                "8.0 GiB of at most 12.0 MiB",
            ),
            (vec![file("book.IPYNB").as_str()], "is a notebook"),
            (vec!["/dev/zero"], "too large"),
        ] {
            let failure = read(&args(&line)).unwrap_err();
            assert_eq!(failure.exit, 2);
            assert!(
                failure.message.contains(part),
                "{line:?}: {}",
                failure.message
            );
            assert!(failure.advice.is_some());
        }
    }

    #[test]
    fn a_script_keeps_its_name_and_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("latin.py");
        std::fs::write(&path, b"# coding: latin-1\nprint('\xe9')\n").unwrap();
        let source = read(&args(&[path.to_str().unwrap()])).unwrap();
        assert_eq!(source.name.as_deref(), Some("latin.py"));
        assert!(source.bytes.contains(&0xe9));
    }
}
