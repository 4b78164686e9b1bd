//! Programs and shell text: what is known of them is judged by the shell module, what is not is said to be unknown.

use std::fmt::Write as _;

use super::Engine;
use super::call::Call;
use super::emit::Raise;
use super::value::{Const, HOLE, Label, MAX_CONSTS, Value};
use crate::shell::{ShellFinding, ShellKind, judge, judge_argv, judge_argv_in};
use crate::syntax::symbols::sym;

impl Engine {
    /// `subprocess.run(command, shell=...)`.
    pub(crate) fn judge_command(&mut self, call: &Call, command: &Value) {
        let shell = call
            .kw
            .iter()
            .find(|(key, _)| *key == sym::SHELL)
            .map(|(_, value)| value);
        let through_shell = match shell {
            None => false,
            Some(value) => value.truth() != Some(false),
        };
        let has_text = command
            .consts()
            .iter()
            .any(|one| matches!(one, Const::Str(_) | Const::Partial(_) | Const::Bytes(_)));
        if command.items().is_some() && through_shell {
            // Only the first element is shell text then.
            let first = self.item_of(command, 0);
            self.judge_shell(call, &first);
        } else if through_shell || has_text {
            self.judge_shell(call, command);
        }
        if command.items().is_some() {
            self.judge_argv(call, command);
        } else if !through_shell && !has_text {
            self.unknown_command(call, command, "SR204");
        }
        self.judge_connected(call);
        let executable = call.keyword(self, "executable").cloned();
        if let Some(executable) = executable {
            self.judge_as(call, executable, command);
        }
        self.judge_command_input(call);
    }

    /// A program whose input or output is a connection is in the hands of whoever is at its other end.
    fn judge_connected(&mut self, call: &Call) {
        let connected = ["stdin", "stdout", "stderr"].iter().any(|stream| {
            call.keyword(self, stream).is_some_and(|value| {
                self.may_be_named(value, |name| name.starts_with("socket.socket()"))
            })
        });
        if connected {
            self.raise(
                "SR612",
                call.at,
                Raise {
                    subject: Some(call.name),
                    ..Raise::default()
                },
            );
        }
    }

    /// Judges a command whose program is this one, whatever its first word says.
    pub(crate) fn judge_as(&mut self, call: &Call, program: Value, command: &Value) {
        if program.is_unknown() {
            return;
        }
        let mut words = vec![program];
        if let Some(items) = command.items() {
            words.extend(items.iter().skip(1).cloned());
        }
        self.judge_argv(call, &Value::seq(words));
    }

    /// What is piped into a shell or an interpreter is run by it.
    fn judge_command_input(&mut self, call: &Call) {
        let Some(input) = call.keyword(self, "input").cloned() else {
            return;
        };
        let program = call.pos.first().cloned().unwrap_or_default();
        let program = match program.items() {
            Some(items) => items.first().cloned().unwrap_or_default(),
            None => program,
        };
        self.judge_input(call, &program, &input);
    }

    /// What a program reads from its standard input.
    pub(crate) fn judge_input(&mut self, call: &Call, program: &Value, input: &Value) {
        if input.is_unknown() {
            return;
        }
        let Some(Const::Str(name)) = program.consts().first().cloned() else {
            return;
        };
        let name = name.split_whitespace().next().unwrap_or("").to_owned();
        let name = name.rsplit('/').next().unwrap_or(&name).to_owned();
        if ["sh", "bash", "zsh", "dash", "ksh"].contains(&name.as_str()) {
            self.judge_shell(call, input);
        } else if name.starts_with("python") {
            self.run_code(call, input);
        }
    }

    pub(crate) fn judge_shell(&mut self, call: &Call, text: &Value) {
        self.judge_shell_flow(call, text);
        let mut known = false;
        let mut open = text.closed().is_none();
        // What did not fit among the known texts may be anything.
        let mut overflow = false;
        let own = text;
        for one in text.consts().to_vec() {
            let text = match &one {
                Const::Str(text) | Const::Partial(text) => text.to_string(),
                Const::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                _ => continue,
            };
            known = true;
            // A text with a known program in front and unknown arguments is judged by the program.
            open &= text.trim_start().starts_with(HOLE);
            overflow |= own.consts().len() >= MAX_CONSTS;
            self.judge_files_run(call, &text);
            self.judge_memory_program(call, &text);
            if self.spend(16 + text.len() as u64 / 4) {
                let found = judge(&format!("{}{text}", self.surroundings(call)));
                self.shell_findings(call, found);
            }
        }
        if !known || open || overflow {
            self.unknown_command(call, own, "SR203");
        }
    }

    /// The folder that a program is started in, where the call says it.
    fn folder_of(&self, call: &Call) -> Option<String> {
        let text = Self::path_texts(call.keyword(self, "cwd")?)
            .first()?
            .to_string();
        Some(crate::rules::paths::normalise(&text)).filter(|text| text.starts_with(['/', '~']))
    }

    /// Shell text for what a call says beside its command: the folder, and variables that it gives.
    fn surroundings(&self, call: &Call) -> String {
        let mut out = String::new();
        if let Some(pairs) = call.keyword(self, "env").and_then(Value::pairs) {
            for (name, value) in pairs.iter().take(64) {
                let (Some(name), Some(value)) = (name.as_str(), value.as_str()) else {
                    continue;
                };
                let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                if plain && !name.is_empty() && value.len() < 1024 && !value.contains('\'') {
                    let _ = write!(out, "{name}='{value}'; ");
                }
            }
        }
        if let Some(folder) = self.folder_of(call).filter(|folder| !folder.contains('\'')) {
            let _ = write!(out, "cd '{folder}'; ");
        }
        out
    }

    /// A program that is run through a descriptor is in no file that anybody could look at.
    pub(crate) fn judge_memory_program(&mut self, call: &Call, program: &str) {
        if ["/proc/self/fd/", "/dev/fd/"]
            .iter()
            .any(|folder| program.starts_with(folder))
        {
            self.raise(
                "SR644",
                call.at,
                Raise {
                    level: Some(crate::Level::Blocked),
                    message: Some("runs a program that is in no file, only in memory".to_owned()),
                    subject: Some(call.name),
                    ..Raise::default()
                },
            );
        }
    }

    pub(crate) fn judge_argv(&mut self, call: &Call, command: &Value) {
        self.judge_shell_flow(call, command);
        let Some(items) = command.items().cloned() else {
            self.unknown_command(call, command, "SR204");
            return;
        };
        let words: Vec<Option<String>> = items
            .iter()
            .take(256)
            .map(|item| Self::text_of(item).or_else(|| Self::path_text(item)))
            .collect();
        let words: Vec<Option<&str>> = words.iter().map(Option::as_deref).collect();
        let line: String = words
            .iter()
            .flatten()
            .copied()
            .collect::<Vec<_>>()
            .join(" ");
        self.judge_files_run(call, &line);
        if let Some(Some(program)) = words.first() {
            self.judge_memory_program(call, program);
        }
        // `bash script`, where the script is not known: it runs whatever is in it.
        if let [Some(program), None, ..] = words.as_slice()
            && interprets(program)
        {
            self.unknown_command(call, command, "SR204");
        }
        match words.first() {
            Some(Some(program)) if program.starts_with(HOLE) => {
                self.unknown_command(call, command, "SR204");
            }
            Some(Some(_)) => {
                let folder = self.folder_of(call);
                let found = if self.spend(16 + words.len() as u64) {
                    judge_argv_in(folder.as_deref(), &words)
                } else {
                    Vec::new()
                };
                self.shell_findings(call, found);
            }
            Some(None) => {
                let own = items
                    .first()
                    .is_some_and(|first| self.may_be_named(first, |name| name == "sys.executable"));
                if own {
                    let mut all: Vec<Option<&str>> = vec![Some("python3")];
                    all.extend(words.iter().skip(1).copied());
                    let found = judge_argv(&all);
                    self.shell_findings(call, found);
                } else {
                    self.unknown_command(call, command, "SR204");
                }
            }
            None => {}
        }
    }

    /// The text of a path object, which programs take as they take a text.
    fn path_text(value: &Value) -> Option<String> {
        let rich = value.rich()?;
        let single = !rich.open && rich.refs.len() == 1 && rich.consts.len() == 1;
        match rich.consts.first()? {
            Const::Str(text) | Const::Partial(text) if single => Some(text.to_string()),
            _ => None,
        }
    }

    fn unknown_command(&mut self, call: &Call, command: &Value, rule: &str) {
        let step = command.all_taints().first().map(|taint| taint.step);
        self.raise(
            rule,
            call.at,
            Raise {
                subject: Some(call.name),
                step,
                ..Raise::default()
            },
        );
    }

    fn shell_findings(&mut self, call: &Call, found: Vec<ShellFinding>) {
        for one in found {
            if one.kind == ShellKind::SecretRead {
                let label = if one.level >= crate::Level::High {
                    Label::SecretFile
                } else {
                    Label::Environment
                };
                self.printed.insert(call.at, label);
            }
            self.raise(
                shell_rule(one.kind),
                call.at,
                Raise {
                    level: Some(one.level),
                    message: Some(one.message),
                    subject: Some(call.name),
                    ..Raise::default()
                },
            );
        }
    }
}

/// Whether a program runs the file that is its first argument.
fn interprets(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    ["sh", "bash", "zsh", "dash", "ksh", "perl", "ruby", "node"].contains(&name)
}

/// The rule of the catalogue for a kind of shell finding.
pub(crate) fn shell_rule(kind: ShellKind) -> &'static str {
    match kind {
        ShellKind::Delete => "SR221",
        ShellKind::Disk => "SR222",
        ShellKind::DownloadRun => "SR223",
        ShellKind::DecodeRun => "SR224",
        ShellKind::ReverseShell => "SR225",
        ShellKind::Permissions => "SR226",
        ShellKind::Exhaustion => "SR227",
        ShellKind::Persistence => "SR228",
        ShellKind::SecretRead => "SR229",
        ShellKind::Exfiltration => "SR230",
        ShellKind::Privilege => "SR231",
        ShellKind::Kill => "SR232",
        ShellKind::Traces => "SR233",
        ShellKind::Install => "SR234",
        ShellKind::Protection => "SR235",
        ShellKind::Container => "SR236",
        ShellKind::Remote => "SR237",
        ShellKind::Network => "SR238",
        ShellKind::Dynamic => "SR239",
        ShellKind::Mining => "SR240",
        ShellKind::Limit => "SR241",
    }
}
