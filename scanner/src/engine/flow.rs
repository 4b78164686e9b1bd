//! Flows: what it means that data from a source reaches a sink. One table for each sink.

use std::rc::Rc;

use super::Engine;
use super::call::Call;
use super::emit::Raise;
use super::value::{Const, Label, Taint, Value};
use crate::Level;
use crate::rules::effects::Sink;

/// How an argument of a network call is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Headers and credentials, where a key of the service itself belongs.
    Header,
    /// The address.
    Address,
    Body,
}

impl Engine {
    pub(crate) fn judge_sink(&mut self, call: &Call, sink: Sink) {
        match sink {
            Sink::Network => self.judge_network(call),
            Sink::Deserialise => self.judge_each(call, |label| match label {
                Label::Network => Some(("SR922", None)),
                Label::Stdin | Label::Argv => Some(("SR922", Some(Level::High))),
                _ => None,
            }),
            Sink::Sql => self.judge_sql(call),
            Sink::Template => self.judge_each(call, |label| match label {
                Label::Network | Label::Stdin | Label::Argv => Some(("SR927", None)),
                _ => None,
            }),
            Sink::Log => self.judge_each(call, |label| match label {
                Label::SecretFile => Some(("SR926", Some(Level::Medium))),
                Label::SecretEnv | Label::Environment => Some(("SR926", None)),
                _ => None,
            }),
        }
    }

    fn judge_each(
        &mut self,
        call: &Call,
        rule: impl Fn(Label) -> Option<(&'static str, Option<Level>)>,
    ) {
        for taint in call.taints() {
            if let Some((rule, level)) = rule(taint.label) {
                self.raise_flow(rule, call, level, taint);
            }
        }
    }

    fn raise_flow(&mut self, rule: &str, call: &Call, level: Option<Level>, taint: Taint) {
        self.raise(
            rule,
            call.at,
            Raise {
                level,
                subject: Some(call.name),
                step: Some(taint.step),
                ..Raise::default()
            },
        );
    }

    fn judge_network(&mut self, call: &Call) {
        let address_first = call.pos.len() + call.kw.len() > 1 || self.sends_address(call);
        let mut parts: Vec<(Part, Value)> = Vec::new();
        for (index, value) in call.pos.iter().enumerate() {
            let part = if index == 0 && address_first {
                Part::Address
            } else {
                Part::Body
            };
            parts.push((part, value.clone()));
        }
        for (key, value) in &call.kw {
            let part = match self.symbols.text(*key) {
                "headers" | "auth" | "cookies" | "cert" | "token" | "api_key" | "password"
                | "user" | "username" | "key_filename" | "pkey" | "passphrase"
                | "extra_headers" | "additional_headers" => Part::Header,
                "url" | "params" | "host" | "address" => Part::Address,
                "timeout" | "verify" | "stream" | "proxies" => continue,
                _ => Part::Body,
            };
            parts.push((part, value.clone()));
        }
        parts.extend(call.spread.iter().map(|value| (Part::Body, value.clone())));
        let host = parts
            .iter()
            .filter(|(part, _)| *part == Part::Address)
            .flat_map(|(_, value)| Self::path_texts(value))
            .find_map(|text| Host::of(&text));
        for (part, value) in parts {
            for taint in value.all_taints() {
                let mut found = network_rule(taint.label, part);
                if taint.label == Label::SecretEnv && part != Part::Header {
                    let level = self.own_service(taint, part, host.as_ref());
                    found = Some(("SR903", level));
                }
                if let Some((rule, level)) = found {
                    self.raise_flow(rule, call, level, taint);
                }
            }
        }
    }

    /// What is at stake when a secret variable is sent: less when it belongs to the very service that it is sent to,
    /// as `GITHUB_TOKEN` does to `github.com`; more when nothing protects it on its way.
    fn own_service(&self, taint: Taint, part: Part, host: Option<&Host>) -> Option<Level> {
        let default = if part == Part::Address {
            Some(Level::High)
        } else {
            None
        };
        let Some(host) = host else { return default };
        if !host.encrypted {
            return None;
        }
        let first = self.chain(taint.step).first().map(|step| step.at);
        let Some(name) = first.and_then(|at| self.secret_names.get(&at)) else {
            return default;
        };
        let known = name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .map(str::to_ascii_lowercase)
            .filter(|word| word.len() >= 4 && !GENERAL.contains(&word.as_str()));
        let mut level = default;
        for word in known {
            if host.owner == word {
                return Some(Level::Medium);
            }
            if host.owner.starts_with(&word) && host.owner.bytes().all(|b| b.is_ascii_alphabetic())
            {
                level = Some(if part == Part::Address {
                    Level::Medium
                } else {
                    Level::High
                });
            }
        }
        level
    }

    /// Whether the only argument of this sink is an address.
    fn sends_address(&self, call: &Call) -> bool {
        let name = self.names.text(&self.symbols, call.name);
        ![
            "send",
            "sendall",
            "sendto",
            "sendmail",
            "send_message",
            "write",
            "publish",
            "put",
        ]
        .iter()
        .any(|method| name.ends_with(method))
    }

    fn judge_sql(&mut self, call: &Call) {
        let query = call.pos.first().cloned().unwrap_or_default();
        for taint in query.taints() {
            if matches!(taint.label, Label::Network | Label::Stdin | Label::Argv) {
                self.raise_flow("SR925", call, None, taint);
            }
        }
        self.judge_sql_text(call, &query);
    }

    pub(crate) fn judge_code_flow(&mut self, call: &Call, code: &Value) {
        for taint in code.all_taints() {
            let found = match taint.label {
                Label::Network => Some(("SR911", None)),
                Label::Stdin | Label::Argv | Label::Capture => Some(("SR912", None)),
                Label::EnvVar | Label::SecretEnv | Label::Environment => Some(("SR913", None)),
                Label::File | Label::UserFile | Label::SecretFile => Some(("SR914", None)),
                Label::Decoded => Some(("SR915", None)),
                Label::Host => None,
            };
            if let Some((rule, level)) = found {
                self.raise_flow(rule, call, level, taint);
            }
        }
    }

    pub(crate) fn judge_shell_flow(&mut self, call: &Call, text: &Value) {
        for taint in text.all_taints() {
            let found = match taint.label {
                Label::Network => Some(("SR916", None)),
                Label::Stdin | Label::Argv | Label::Capture => Some(("SR917", None)),
                Label::EnvVar => Some(("SR918", None)),
                Label::SecretFile | Label::Environment | Label::SecretEnv => Some(("SR919", None)),
                Label::Decoded => Some(("SR915", None)),
                Label::File | Label::UserFile | Label::Host => None,
            };
            if let Some((rule, level)) = found {
                self.raise_flow(rule, call, level, taint);
            }
        }
    }

    pub(crate) fn judge_delete_flow(&mut self, call: &Call, path: &Value) {
        for taint in path.all_taints() {
            if let Some((rule, level)) = delete_rule(taint.label) {
                self.raise_flow(rule, call, level, taint);
            }
        }
    }

    /// What is written to a place that runs again, or into a file that is run later.
    pub(crate) fn judge_written(&mut self, call: &Call, path: &Value, content: &Value) {
        self.keep_text(path, content);
        let taints = content.all_taints();
        if taints.is_empty() {
            return;
        }
        for text in Self::path_texts(path) {
            let normal = crate::rules::paths::normalise(&text);
            for &taint in &taints {
                if matches!(
                    taint.label,
                    Label::SecretFile | Label::Environment | Label::SecretEnv | Label::Capture
                ) {
                    self.keep_file(&normal, taint);
                }
                if taint.label == Label::Network {
                    if self.persists(&normal) {
                        self.raise_flow("SR923", call, None, taint);
                    }
                    let tag = self.passes.tag();
                    self.downloads.push((normal.clone(), taint, tag));
                }
            }
        }
    }

    /// Remembers the text of a file, for when the file is run.
    fn keep_text(&mut self, path: &Value, content: &Value) {
        const MAX_TEXTS: usize = 256;
        const MAX_TEXT: usize = 64 << 10;
        let text = match content.exact() {
            Some(Const::Str(text) | Const::Partial(text)) => Rc::clone(text),
            Some(Const::Bytes(bytes)) => Rc::from(String::from_utf8_lossy(bytes).into_owned()),
            _ => return,
        };
        if self.written.len() >= MAX_TEXTS || text.len() > MAX_TEXT {
            return;
        }
        let tag = self.passes.tag();
        for path in Self::path_texts(path) {
            let normal = crate::rules::paths::normalise(&path);
            self.written.push((normal, Rc::clone(&text), tag));
        }
    }

    /// Judges the text of a file that the code has written and that a command runs now.
    fn judge_written_run(&mut self, call: &Call, command: &str) {
        if self.written.is_empty() || call.depth > 4 {
            return;
        }
        let words: Vec<&str> = command
            .split(|c: char| c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')'))
            .map(|word| word.trim_matches(['"', '\'']))
            .filter(|word| !word.is_empty())
            .take(256)
            .collect();
        let mut runs: Vec<(String, Option<&str>)> = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let normal = crate::rules::paths::normalise(word);
            if !self.written.iter().any(|(path, ..)| *path == normal) {
                continue;
            }
            let runner = at.checked_sub(1).map(|before| words[before]);
            if !runs.iter().any(|(path, _)| *path == normal) {
                runs.push((normal, runner));
            }
        }
        for (path, runner) in runs {
            let text: String = self
                .written
                .iter()
                .filter(|(known, _, tag)| *known == path && self.passes.counts(*tag))
                .map(|(_, text, _)| &**text)
                .collect();
            let runner = runner.map(|word| word.rsplit('/').next().unwrap_or(word));
            let first = text.lines().next().unwrap_or_default();
            let python = runner.is_some_and(|name| name.starts_with("python"))
                || path.rsplit('.').next() == Some("py")
                || first.starts_with("#!") && first.contains("python");
            let shell = match runner {
                None => true,
                Some(name) => {
                    [
                        "sh", "bash", "zsh", "dash", "ksh", ".", "source", "sudo", "exec",
                    ]
                    .contains(&name)
                        || !path.contains('.') && name.len() > 1
                        || path.rsplit('.').next() == Some("sh")
                }
            };
            let mut inner = call.clone();
            inner.depth += 1;
            let text: Rc<str> = Rc::from(text);
            if python {
                self.run_text(&inner, &text);
            } else if shell {
                self.judge_shell(&inner, &Value::Const(Const::Str(text)));
            }
        }
    }

    /// Whether what is written to this path runs again by itself.
    fn persists(&self, normal: &str) -> bool {
        let lowered = crate::rules::paths::Lowered::new(normal);
        self.catalog.paths.iter().any(|(rule, _, pattern)| {
            self.catalog.rules[usize::from(*rule)].category == crate::rules::Category::Persistence
                && pattern.matches(&lowered)
        })
    }

    /// A file holds what must not be sent: whoever reads it has it again.
    pub(crate) fn keep_file(&mut self, path: &str, taint: Taint) {
        if self.kept.len() < 256 && path.len() > 1 {
            let tag = self.passes.tag();
            self.kept.push((path.to_owned(), taint, tag));
        }
    }

    /// What a file of this path was given before.
    pub(crate) fn kept_in(&self, path: &str) -> Option<Taint> {
        self.kept
            .iter()
            .find(|(known, _, tag)| known == path && self.passes.counts(*tag))
            .map(|(_, taint, _)| *taint)
    }

    /// A module that was written to disk before is imported.
    pub(crate) fn judge_import_written(&mut self, at: crate::syntax::ir::Reg, module: &str) {
        let file = format!("{}.py", module.replace('.', "/"));
        let found = self.downloads.iter().find(|(path, _, tag)| {
            self.passes.counts(*tag)
                && path
                    .strip_suffix(file.as_str())
                    .is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
        });
        if let Some((_, taint, _)) = found {
            let step = Some(taint.step);
            self.raise(
                "SR924",
                at,
                Raise {
                    step,
                    ..Raise::default()
                },
            );
        }
    }

    /// A command that runs a file which the code has written or downloaded before.
    pub(crate) fn judge_files_run(&mut self, call: &Call, command: &str) {
        self.judge_written_run(call, command);
        for index in 0..self.downloads.len() {
            let (path, taint, tag) = self.downloads[index].clone();
            if !self.passes.counts(tag) {
                continue;
            }
            let file = path.rsplit('/').next().unwrap_or(&path);
            let named = if file.len() > 2 {
                command.contains(file)
            } else {
                command.split_whitespace().any(|word| word == path)
            };
            if named {
                self.raise_flow("SR924", call, None, taint);
                return;
            }
        }
    }
}

/// Words in the name of a secret that say nothing of the service that it belongs to.
const GENERAL: [&str; 16] = [
    "token",
    "secret",
    "password",
    "passwd",
    "access",
    "private",
    "client",
    "auth",
    "session",
    "database",
    "service",
    "account",
    "credential",
    "credentials",
    "bearer",
    "apikey",
];

/// The receiver of a request, as far as its address says.
struct Host {
    encrypted: bool,
    /// The label under the public suffix: `github` of `api.github.com`.
    owner: String,
}

impl Host {
    fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?', '#', super::value::HOLE]).next()?;
        let host = host.rsplit('@').next()?.split(':').next()?;
        let labels: Vec<&str> = host.split('.').collect();
        let owner = match labels.as_slice() {
            // `example.co.uk`
            [.., owner, second, top] if second.len() <= 3 && top.len() == 2 => owner,
            [.., owner, _] => owner,
            _ => return None,
        };
        Some(Self {
            encrypted: scheme == "https" || scheme == "wss",
            owner: owner.to_ascii_lowercase(),
        })
    }
}

fn delete_rule(label: Label) -> Option<(&'static str, Option<Level>)> {
    match label {
        Label::Network => Some(("SR920", None)),
        Label::Stdin | Label::Argv => Some(("SR921", None)),
        _ => None,
    }
}

fn network_rule(label: Label, part: Part) -> Option<(&'static str, Option<Level>)> {
    Some(match (label, part) {
        (Label::UserFile | Label::Host, Part::Header) => return None,
        (Label::SecretFile, Part::Header) => ("SR901", Some(Level::High)),
        (Label::SecretFile, _) => ("SR901", None),
        (Label::Environment, _) => ("SR902", None),
        (Label::SecretEnv, Part::Header) => ("SR903", Some(Level::Low)),
        (Label::SecretEnv, Part::Address) => ("SR903", Some(Level::High)),
        (Label::SecretEnv, Part::Body) => ("SR903", None),
        (Label::UserFile, _) => ("SR904", None),
        (Label::Capture, _) => ("SR905", None),
        (Label::Host, _) => ("SR906", None),
        (Label::EnvVar, Part::Body) => ("SR907", None),
        (Label::File, Part::Body) => ("SR908", None),
        _ => return None,
    })
}
