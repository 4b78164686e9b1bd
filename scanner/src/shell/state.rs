//! The judge itself: runs over a text's events with its variables and aliases, keeps a queue of nested texts, and
//! collects findings. The rules decide; this file only hands commands to them.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::expand::Scope;
use super::lexer::{Item, lex, value};
use super::syntax::{self, Event, Outline, RawCommand};
use super::word::{Command, Redirect, Word};
use super::{HOLE, ShellFinding, ShellKind, nested, prefix, rules, split};
use crate::Level;

/// Longest text that is judged to its end.
const MAX_TEXT: usize = 128 * 1024;
/// Deepest nesting of `sh -c` and its like.
const MAX_NESTING: u8 = 8;
/// Most commands that one call judges, over all nested texts.
const MAX_COMMANDS: usize = 20_000;
/// Most findings that one call reports.
const MAX_FINDINGS: usize = 500;

struct Job {
    text: String,
    depth: u8,
    anchor: Option<(usize, usize)>,
    /// Positional parameters, with the name of the script first.
    arguments: Vec<String>,
}

/// One judgement in progress.
#[derive(Default)]
pub(super) struct Judge {
    /// Variables of the text.
    pub scope: Scope,
    /// Files that the text has downloaded or decoded, by base name.
    pub fetched: HashSet<String>,
    /// Pipes that the text has made with `mkfifo`.
    pub pipes: HashSet<String>,
    /// The folder that the last `cd` with a known target went to.
    folder: Option<String>,
    aliases: HashMap<String, String>,
    /// Bodies of the functions that the text defines.
    functions: HashMap<String, String>,
    /// What the text itself has written into files, by their paths.
    written: HashMap<String, String>,
    findings: Vec<ShellFinding>,
    jobs: Vec<Job>,
    depth: u8,
    anchor: Option<(usize, usize)>,
    commands: usize,
}

impl Judge {
    /// Judges a text and everything nested in it.
    pub(super) fn text(&mut self, text: &str) {
        self.jobs.push(Job {
            text: text.to_owned(),
            depth: 0,
            anchor: None,
            arguments: Vec::new(),
        });
        self.drain();
    }

    /// The folder in which a program is started.
    pub(super) fn starts_in(&mut self, folder: Option<&str>) {
        self.folder = folder.map(str::to_owned);
    }

    /// Judges a program with its arguments.
    pub(super) fn argv(&mut self, arguments: &[Option<&str>]) {
        let words = arguments
            .iter()
            .take(4_000)
            .map(|argument| argument.map_or_else(Word::unknown, Word::literal))
            .collect();
        self.anchor = Some((0, arguments.len()));
        self.command(Command {
            words,
            end: arguments.len(),
            ..Command::default()
        });
        self.drain();
    }

    /// The findings, each once, in order of position.
    pub(super) fn finish(self) -> Vec<ShellFinding> {
        let mut seen = BTreeSet::new();
        let mut findings = self.findings;
        findings.retain(|f| seen.insert((f.start, f.kind, f.level, f.message.clone())));
        findings.sort_by(|a, b| (a.start, b.level, a.kind).cmp(&(b.start, a.level, b.kind)));
        findings
    }

    /// Reports something about a command.
    pub(super) fn report(
        &mut self,
        kind: ShellKind,
        level: Level,
        message: String,
        command: &Command,
    ) {
        if self.findings.len() >= MAX_FINDINGS && level < Level::Blocked {
            return;
        }
        if self.findings.len() >= 2 * MAX_FINDINGS {
            return;
        }
        let (start, end) = self.anchor.unwrap_or((command.start, command.end));
        self.findings.push(ShellFinding {
            kind,
            level,
            message,
            start,
            end,
        });
    }

    /// Queues a text that this command hands to another shell.
    pub(super) fn nest(&mut self, text: &str, command: &Command) {
        self.nest_with(text, Vec::new(), command);
    }

    /// The same with positional parameters, `$0` first.
    pub(super) fn nest_with(&mut self, text: &str, arguments: Vec<String>, command: &Command) {
        if self.depth >= MAX_NESTING || self.jobs.len() > 200 {
            let message = "shells are nested too deeply to be followed".to_owned();
            self.report(ShellKind::Limit, Level::High, message, command);
            return;
        }
        let anchor = self.anchor.or(Some((command.start, command.end)));
        self.jobs.push(Job {
            text: text.to_owned(),
            depth: self.depth + 1,
            anchor,
            arguments,
        });
    }

    fn drain(&mut self) {
        while let Some(job) = self.jobs.pop() {
            self.depth = job.depth;
            self.anchor = job.anchor;
            self.scope.set_arguments(job.arguments);
            self.job(&job.text);
        }
    }

    fn job(&mut self, text: &str) {
        let mut text = text;
        if text.len() > MAX_TEXT {
            let mut end = MAX_TEXT;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text = &text[..end];
            let whole = Command {
                end,
                ..Command::default()
            };
            let message =
                "shell text is longer than 128 KiB and is not judged to its end".to_owned();
            self.report(ShellKind::Limit, Level::High, message, &whole);
        }
        let outline = syntax::outline(text);
        let functions = outline
            .events
            .iter()
            .any(|event| matches!(event, Event::Function { .. }));
        self.scope.set_functions(functions);
        self.events(text, &outline);
        rules::text(self, text);
        if outline.broken || outline.cut {
            for stages in split::pipelines(text, &self.scope, 0) {
                let peeled: Vec<Command> = stages
                    .into_iter()
                    .map(|command| self.command(command))
                    .collect();
                if peeled.len() > 1 {
                    rules::pipeline(self, &peeled);
                }
            }
        }
        if outline.cut {
            let whole = Command {
                end: text.len(),
                ..Command::default()
            };
            let message = "shell text has more commands than are looked at".to_owned();
            self.report(ShellKind::Limit, Level::High, message, &whole);
        }
    }

    fn events(&mut self, text: &str, outline: &Outline) {
        let mut resolved: HashMap<usize, Command> = HashMap::new();
        for event in &outline.events {
            match event {
                Event::Assign {
                    name,
                    value: range,
                    append,
                } => {
                    let value = value(&text[range.clone()], &self.scope, 0);
                    rules::assigned(self, name, &value.text, range.clone());
                    self.scope.assign(name, &value.text, *append);
                }
                Event::Loop { name, values } => {
                    let values = value(&text[values.clone()], &self.scope, 0);
                    self.scope.assign(name, &values.text, false);
                }
                Event::Function { name, body } => {
                    rules::function(self, name, &text[body.clone()], body.clone());
                    if self.functions.len() < 200 {
                        let inside = inside_braces(&text[body.clone()]);
                        self.functions.insert(name.clone(), inside.to_owned());
                    }
                }
                Event::Command(index) => {
                    let command = self.expand(text, &outline.commands[*index]);
                    let peeled = self.command(command);
                    resolved.insert(*index, peeled);
                }
                Event::Pipeline(members) => {
                    let stages: Vec<Command> = members
                        .iter()
                        .filter_map(|index| resolved.get(index).cloned())
                        .collect();
                    rules::pipeline(self, &stages);
                }
            }
        }
    }

    fn expand(&self, text: &str, raw: &RawCommand) -> Command {
        let slice = text.get(raw.range.clone()).unwrap_or_default();
        let mut command = split::command(slice, &self.scope, 0);
        command.start = raw.range.start;
        command.end = raw.range.end;
        for range in &raw.redirects {
            let items = lex(text.get(range.clone()).unwrap_or_default(), &self.scope, 0);
            command.end = command.end.max(range.end);
            for item in items {
                if let Item::Redirect(redirect) = item {
                    if redirect.operator == "<<<" {
                        command.stdin = Some(redirect.target.text.clone());
                    }
                    command.redirects.push(redirect);
                }
            }
        }
        for range in &raw.heredocs {
            let body = text.get(range.clone()).unwrap_or_default();
            command.stdin.get_or_insert_default().push_str(body);
        }
        command
    }

    /// A relative path as seen from the folder that the text has changed to.
    pub(super) fn located(&self, path: &Word) -> Word {
        let relative = !path.text.starts_with(['/', '~', HOLE]);
        match &self.folder {
            Some(folder) if relative => Word {
                text: format!("{}/{}", folder.trim_end_matches('/'), path.text),
                ..path.clone()
            },
            _ => path.clone(),
        }
    }

    fn change_folder(&mut self, command: &Command) {
        let Some(target) = command.operands().next() else {
            self.folder = Some("~".to_owned());
            return;
        };
        self.folder = match target.text.chars().next() {
            Some('/' | '~') => Some(target.text.clone()),
            Some('-' | HOLE) | None => None,
            Some(_) => self
                .folder
                .as_ref()
                .map(|folder| format!("{folder}/{}", target.text)),
        };
        self.folder = self.folder.take().filter(|folder| folder.len() < 4096);
    }

    /// Judges one command; returns it without its prefixes.
    pub(super) fn command(&mut self, command: Command) -> Command {
        self.commands += 1;
        if self.commands > MAX_COMMANDS {
            if self.commands == MAX_COMMANDS + 1 {
                let message = "shell text has more commands than are looked at".to_owned();
                self.report(ShellKind::Limit, Level::High, message, &command);
            }
            return command;
        }
        let command = self.unalias(command);
        let peeled = prefix::peel(self, command);
        if matches!(peeled.program().as_str(), "cd" | "pushd") {
            self.change_folder(&peeled);
        }
        if peeled.program() == "alias" {
            for word in peeled.arguments() {
                if let Some((name, text)) = word.text.split_once('=') {
                    self.aliases.insert(name.to_owned(), text.to_owned());
                }
            }
        }
        rules::command(self, &peeled);
        nested::follow(self, &peeled);
        self.call_function(&peeled);
        self.run_written(&peeled);
        peeled
    }

    /// A function of the text is called with arguments: its body, with these.
    fn call_function(&mut self, command: &Command) {
        let Some(first) = command.words.first() else {
            return;
        };
        let known = command.arguments().iter().any(Word::is_known);
        if !known || self.depth > 3 {
            return;
        }
        if let Some(body) = self.functions.get(&first.text).cloned() {
            let arguments = command.words.iter().map(|word| word.text.clone()).collect();
            self.nest_with(&body, arguments, command);
        }
    }

    /// Remembers what `echo`, `printf` or a here-document put into a file, and judges it when the file is run.
    fn run_written(&mut self, command: &Command) {
        let path = |text: &str| text.trim_start_matches("./").to_owned();
        if !self.written.is_empty() {
            let runner = nested::is_shell(&command.program())
                || matches!(command.program().as_str(), "." | "source");
            let file = if runner {
                command.operands().next()
            } else {
                command.words.first()
            };
            if let Some(text) = file
                .and_then(|word| self.written.get(&path(&word.text)))
                .cloned()
            {
                self.nest(&text, command);
            }
        }
        let target = command
            .redirects
            .iter()
            .find(|one| one.writes() && one.target.is_known());
        if let Some(redirect) = target
            && self.written.len() < 64
            && let Some(text) = super::fold::pipeline(std::slice::from_ref(command))
        {
            let kept = self.written.entry(path(&redirect.target.text)).or_default();
            if redirect.truncates() {
                kept.clear();
            }
            kept.push_str(&text);
        }
    }

    fn unalias(&self, mut command: Command) -> Command {
        let Some(text) = command
            .words
            .first()
            .and_then(|word| self.aliases.get(&word.text))
        else {
            return command;
        };
        let mut words: Vec<Word> = Vec::new();
        let mut redirects: Vec<Redirect> = Vec::new();
        for item in lex(text, &self.scope, 0) {
            match item {
                Item::Word(word) => words.push(word),
                Item::Redirect(redirect) => redirects.push(redirect),
            }
        }
        words.extend(command.words.drain(1..));
        command.words = words;
        command.redirects.extend(redirects);
        command
    }
}

/// What stands between the outermost braces of a function's body.
fn inside_braces(body: &str) -> &str {
    let start = body.find('{').map_or(0, |at| at + 1);
    let end = body.rfind('}').unwrap_or(body.len());
    body.get(start..end).unwrap_or_default()
}
