//! Tests of the command line's definition: it is sound, it reads what it should, its help is known.

use clap::{CommandFactory, Parser, error::ErrorKind};

use super::{Cli, Command};

fn run(line: &[&str]) -> Result<super::RunArgs, ErrorKind> {
    let cli = Cli::try_parse_from([&["saferunctl", "run"], line].concat())
        .map_err(|error| error.kind())?;
    match cli.command {
        Command::Run(args) => Ok(*args),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn run_takes_a_file_or_code_and_arguments_after_two_dashes() {
    let args = run(&["a.py", "--", "-x", "--json"]).unwrap();
    assert_eq!(args.file.unwrap().to_str(), Some("a.py"));
    assert_eq!(args.args, ["-x", "--json"]);
    assert!(!args.json);
    let args = run(&["-c", "-1", "--", "a"]).unwrap();
    assert_eq!(args.code.as_deref(), Some("-1"));
    assert_eq!(args.args, ["a"]);
    assert_eq!(run(&["-"]).unwrap().file.unwrap().to_str(), Some("-"));
}

#[test]
fn what_cannot_be_meant_is_an_error() {
    for (line, kind) in [
        (&[][..], ErrorKind::MissingRequiredArgument),
        (&["a.py", "-c", "1"], ErrorKind::ArgumentConflict),
        (&["a.py", "b"], ErrorKind::UnknownArgument),
        (&["a.py", "--json", "--raw"], ErrorKind::ArgumentConflict),
        (&["a.py", "--json", "--detach"], ErrorKind::ArgumentConflict),
        (&["a.py", "--timeuot", "3"], ErrorKind::UnknownArgument),
        (&["a.py", "--timeout", "3x"], ErrorKind::ValueValidation),
        (&["a.py", "--memory", "256"], ErrorKind::ValueValidation),
        (&["a.py", "--pids", "0"], ErrorKind::ValueValidation),
        (&["a.py", "--env", "=novalue"], ErrorKind::ValueValidation),
        (&["a.py", "--name", "../x"], ErrorKind::ValueValidation),
        (&["a.py", "--runtime", "none"], ErrorKind::InvalidValue),
    ] {
        assert_eq!(run(line).unwrap_err(), kind, "{line:?}");
    }
}

#[test]
fn who_forgets_the_dashes_before_a_scripts_arguments_is_told_of_them() {
    let hint = |line: &[&str]| {
        let error = Cli::try_parse_from(line).err()?;
        super::hint(&error)
    };
    let told = hint(&["saferunctl", "run", "a.py", "data.csv"]).expect("a hint");
    assert!(told.contains("script.py -- --input"), "{told}");
    assert_eq!(hint(&["saferunctl", "scan", "--colour", "red"]), None);
    assert_eq!(hint(&["saferunctl", "run"]), None);
    assert_eq!(hint(&["saferunctl", "run", "a.py", "--timeout", "x"]), None);
}

/// The list of commands is made before their options are, and a command's own help after that.
#[test]
fn a_command_says_of_itself_what_the_list_says_of_it() {
    fn compare(listed: &clap::Command, built: &clap::Command) {
        for one in listed.get_subcommands() {
            let name = one.get_name();
            let own = built.find_subcommand(name).expect("the same commands");
            let about = |command: &clap::Command| command.get_about().map(ToString::to_string);
            assert!(about(one).is_some(), "{name}");
            assert_eq!(about(one), about(own), "{name}");
            assert_eq!(
                one.get_long_about().is_some(),
                own.get_long_about().is_some(),
                "{name}"
            );
            compare(one, own);
        }
    }
    let mut built = Cli::command();
    built.build();
    compare(&Cli::command(), &built);
}

/// The help of every command, so that a change to it is seen by whoever makes it.
#[test]
fn help() {
    use std::fmt::Write as _;

    fn collect(command: &mut clap::Command, out: &mut String) {
        let name = command.get_bin_name().unwrap_or("saferunctl").to_owned();
        let _ = writeln!(out, "$ {name} --help\n{}", command.render_help());
        for sub in command
            .get_subcommands_mut()
            .filter(|sub| !sub.is_hide_set())
        {
            collect(sub, out);
        }
    }
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut out = String::new();
    collect(&mut command, &mut out);
    insta::assert_snapshot!(out);
}
