//! What happens to files: opening, reading, writing and deleting known and unknown paths.

use std::rc::Rc;

use super::Engine;
use super::call::Call;
use super::emit::Raise;
use super::fold::text;
use super::place::{Place, own_settings, place_of};
use super::value::{Const, HOLE, Label, Ref, Rich, Value, either_of, gather};
use crate::Level;
use crate::rules::{Access, Category, paths};

impl Engine {
    /// The texts that a path may be.
    pub(crate) fn path_texts(value: &Value) -> Vec<Rc<str>> {
        value
            .consts()
            .iter()
            .filter_map(|one| match one {
                Const::Str(text) | Const::Partial(text) => Some(Rc::clone(text)),
                Const::Bytes(bytes) => Some(Rc::from(String::from_utf8_lossy(bytes).into_owned())),
                _ => None,
            })
            .collect()
    }

    /// A path object or open file that remembers its path.
    pub(crate) fn with_path(&mut self, name: &str, path: &Value) -> Value {
        let mut rich = Rich::default();
        for one in self.named(name).refs() {
            rich.refs.push(one);
        }
        for text in Self::path_texts(path) {
            rich.consts.push(text::known(&text));
        }
        rich.open = path.closed().is_none();
        Value::Rich(Rc::new(rich)).with_taints(&path.taints())
    }

    pub(crate) fn judge_path(&mut self, call: &Call, path: &Value, access: Access) {
        let texts = Self::path_texts(path);
        for path in &texts {
            self.note_path(path, call.at);
            self.judge_known_path(call, path, access);
        }
        if texts.is_empty() && access == Access::Delete {
            self.judge_unknown_delete(call, path);
        }
        if access == Access::Delete {
            self.judge_delete_flow(call, path);
        }
    }

    fn judge_unknown_delete(&mut self, call: &Call, path: &Value) {
        let own_file = self.may_be_named(path, |name| name.starts_with("tempfile."));
        if own_file {
            return;
        }
        let rule = if self.deletes_tree(call) {
            "SR303"
        } else {
            "SR304"
        };
        self.raise(
            rule,
            call.at,
            Raise {
                subject: Some(call.name),
                ..Raise::default()
            },
        );
    }

    fn deletes_tree(&self, call: &Call) -> bool {
        let name = self.names.text(&self.symbols, call.name);
        name.contains("rmtree")
            || name == "shutil.move"
            || name.contains("remove_tree")
            || name.contains("removedirs")
    }

    fn judge_known_path(&mut self, call: &Call, path: &str, access: Access) {
        let normal = self.absolute(paths::normalise(path));
        // The public half of a key is made to be shown.
        if access == Access::Read
            && normal.contains("/.ssh/")
            && normal.rsplit('.').next() == Some("pub")
        {
            return;
        }
        // Nor do hosts that somebody connects to open a door.
        let names_hosts = access == Access::Read && names_hosts(&normal);
        let mut hit = false;
        let lowered = paths::Lowered::new(&normal);
        let catalog = self.catalog;
        // Where the target of a copy may be a folder, the file lies in it.
        let inside = (access == Access::Write && self.copies_into(call))
            .then(|| format!("{}/x", normal.trim_end_matches('/')));
        let inside = inside.as_deref().map(paths::Lowered::new);
        for (rule, on, pattern) in &catalog.paths {
            let (rule, on) = (*rule, *on);
            // Whatever deletes or replaces a file is at least as bad as reading it.
            let applies = on == access || (on == Access::Write && access == Access::Delete);
            let within = inside.as_ref().is_some_and(|inside| {
                catalog.rules[usize::from(rule)].category == Category::Persistence
                    && pattern.matches(inside)
            });
            if applies && (within || pattern.matches(&lowered)) {
                hit = true;
                self.raise_number(
                    rule,
                    call.at,
                    Raise {
                        arg: normal.clone(),
                        subject: Some(call.name),
                        level: names_hosts.then_some(Level::Medium),
                        ..Raise::default()
                    },
                );
            }
        }
        match access {
            Access::Delete => self.judge_delete(call, &normal),
            Access::Run => {
                self.judge_files_run(call, &normal);
                self.judge_memory_program(call, &normal);
            }
            Access::Write if !hit => self.judge_write(call, &normal),
            _ => {}
        }
    }

    /// Whether a call takes a folder as well as a file for its target.
    fn copies_into(&self, call: &Call) -> bool {
        let name = self.names.text(&self.symbols, call.name);
        matches!(
            name.as_str(),
            "shutil.copy" | "shutil.copy2" | "shutil.move" | "shutil.copytree"
        )
    }

    /// A path from the working folder that the code has changed to.
    fn absolute(&self, normal: String) -> String {
        let Some(folder) = &self.working else {
            return normal;
        };
        let relative = normal
            .chars()
            .next()
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '*' | '_'));
        if !relative || normal.get(1..2) == Some(":") {
            return normal;
        }
        match normal.as_str() {
            "." | "./" => folder.clone(),
            _ => paths::normalise(&format!("{}/{normal}", folder.trim_end_matches('/'))),
        }
    }

    fn judge_delete(&mut self, call: &Call, path: &str) {
        let tree = self.deletes_tree(call);
        let raise = |engine: &mut Self, rule: &str, level: Option<Level>| {
            engine.raise(
                rule,
                call.at,
                Raise {
                    level,
                    arg: path.to_owned(),
                    subject: Some(call.name),
                    ..Raise::default()
                },
            );
        };
        match place_of(path) {
            Place::Home | Place::Root => raise(self, "SR301", None),
            Place::UserFolder if tree || path.contains('*') => raise(self, "SR301", None),
            Place::UserFolder | Place::InHome if tree => raise(self, "SR301", Some(Level::High)),
            Place::UserFolder | Place::InHome => raise(self, "SR304", Some(Level::Medium)),
            Place::SystemFolder => raise(self, "SR302", None),
            Place::InSystem => raise(
                self,
                "SR302",
                Some(if tree { Level::Blocked } else { Level::High }),
            ),
            Place::Project => raise(self, "SR317", None),
            Place::Relative if tree => raise(self, "SR303", Some(Level::Low)),
            Place::Relative | Place::Temp => raise(self, "SR304", Some(Level::Low)),
            Place::Unknown if tree => raise(self, "SR303", None),
            Place::Unknown => raise(self, "SR304", None),
        }
    }

    fn judge_write(&mut self, call: &Call, path: &str) {
        let (rule, level) = match place_of(path) {
            Place::SystemFolder | Place::InSystem => ("SR306", None),
            // The folder in which a program is meant to keep its own settings.
            Place::UserFolder if own_settings(path) => ("SR307", None),
            Place::UserFolder | Place::Home | Place::Root if path.contains('*') => {
                ("SR318", Some(Level::Blocked))
            }
            // Putting in order what lies there already.
            Place::UserFolder if self.stays_in_folder(call, path) => ("SR318", Some(Level::Medium)),
            Place::UserFolder => ("SR318", None),
            Place::Home | Place::InHome => ("SR307", None),
            _ => ("SR305", None),
        };
        self.raise(
            rule,
            call.at,
            Raise {
                level,
                arg: path.to_owned(),
                subject: Some(call.name),
                ..Raise::default()
            },
        );
    }

    /// Whether a call moves something within one folder of the user.
    fn stays_in_folder(&self, call: &Call, path: &str) -> bool {
        let name = self.names.text(&self.symbols, call.name);
        let source = match name.as_str() {
            "shutil.move" | "os.rename" | "os.replace" => call.pos.first(),
            "pathlib.Path().rename" | "pathlib.Path().replace" => {
                call.receiver.as_ref().map(|(_, value)| value)
            }
            _ => None,
        };
        let Some(source) = source else { return false };
        let folder: Vec<&str> = path.split('/').take(2).collect();
        let texts = Self::path_texts(source);
        !texts.is_empty()
            && texts.iter().all(|text| {
                let normal = paths::normalise(text);
                let parts: Vec<&str> = normal.split('/').take(2).collect();
                parts == folder
            })
    }

    /// `open(path, mode)`.
    pub(crate) fn open(&mut self, call: &Call, path: &Value, mode: Option<&Value>) -> Value {
        let mode_text = match mode {
            None => Some("r".to_owned()),
            Some(value) => value.as_str().map(str::to_owned),
        };
        let reads = mode_text
            .as_deref()
            .is_none_or(|m| m.contains('r') || m.contains('+'));
        let writes = mode_text
            .as_deref()
            .is_some_and(|m| m.contains(['w', 'a', 'x', '+']));
        let handle = self.with_path("builtins.open()", path);
        let mut taints = handle.taints();
        if reads {
            self.judge_path(call, path, Access::Read);
            let read = self.read_taint(call, path);
            super::value::merge_taints(&mut taints, &read.taints());
        }
        if writes {
            self.judge_path(call, path, Access::Write);
            if Self::path_texts(path).is_empty() {
                self.raise(
                    "SR305",
                    call.at,
                    Raise {
                        subject: Some(call.name),
                        arg: "a file".to_owned(),
                        ..Raise::default()
                    },
                );
            }
        }
        handle.with_taints(&taints)
    }

    /// What reading a path gives, by what the path is.
    pub(crate) fn read_taint(&mut self, call: &Call, path: &Value) -> Value {
        let mut best: Option<(Label, &'static str)> = None;
        for text in Self::path_texts(path) {
            let normal = paths::normalise(&text);
            if let Some(taint) = self.kept_in(&normal) {
                return Value::Unknown.with_taints(&[taint]);
            }
            let found = if self.is_secret_path(&normal) {
                (Label::SecretFile, "a file with secrets is read")
            } else if normal.rsplit('/').next().is_some_and(is_dotenv) {
                (Label::SecretEnv, "a file of secret variables is read")
            } else {
                match place_of(&normal) {
                    Place::Home | Place::InHome | Place::UserFolder => {
                        (Label::UserFile, "a file of the user is read")
                    }
                    Place::InSystem | Place::SystemFolder | Place::Root => {
                        (Label::UserFile, "a file of the system is read")
                    }
                    _ => (Label::File, "a file is read"),
                }
            };
            if best.is_none_or(|(label, _)| found.0 < label) {
                best = Some(found);
            }
        }
        let (label, what) = best.unwrap_or((Label::File, "a file is read"));
        let taint = self.source_taint(label, what, call.at);
        Value::Unknown.with_taints(&[taint])
    }

    pub(crate) fn read_result(&mut self, call: &Call, path: &Value) -> Value {
        let taints = self.read_taint(call, path).taints();
        let result = self
            .names
            .result(&mut self.symbols, call.name)
            .map_or(Value::Unknown, |id| Value::Ref(Ref::Name(id)));
        result.with_taints(&taints)
    }

    fn is_secret_path(&self, normal: &str) -> bool {
        let lowered = paths::Lowered::new(normal);
        !names_hosts(normal)
            && self.catalog.paths.iter().any(|(rule, access, pattern)| {
                *access == Access::Read
                    && self.catalog.rules[usize::from(*rule)].category == Category::Secrets
                    && self.catalog.rules[usize::from(*rule)].level >= Level::Medium
                    && pattern.matches(&lowered)
            })
    }

    fn is_path_object(&self, value: &Value) -> bool {
        self.may_be_named(value, |name| name.starts_with("pathlib."))
    }

    /// `path.parent`, as far as the path is known.
    pub(crate) fn parent_of_path(&mut self, value: &Value) -> Option<Value> {
        if !self.is_path_object(value) {
            return None;
        }
        let mut all: Option<Value> = None;
        for text in Self::path_texts(value) {
            let own = text.trim_end_matches('/');
            let above = match own.rsplit_once('/') {
                Some(("", _)) => "/",
                Some((head, _)) => head,
                None if own == "~" => "/home",
                None => ".",
            };
            let one = Value::Const(text::known(above));
            all = Some(either_of(all, &one));
        }
        let all = all?.with_taints(&value.taints());
        Some(self.with_path("pathlib.Path()", &all))
    }

    /// `Path(a) / b`.
    pub(crate) fn join_path(&mut self, left: &Value, right: &Value) -> Option<Value> {
        if !self.is_path_object(left) && !self.is_path_object(right) {
            return None;
        }
        let joined = Self::join_texts(&[left.clone(), right.clone()]);
        Some(self.with_path("pathlib.Path()", &joined))
    }

    /// Joins the parts of a path as `os.path.join` does.
    pub(crate) fn join_texts(parts: &[Value]) -> Value {
        let mut out: Option<Value> = None;
        for part in parts.iter().take(16) {
            let mut texts = Self::path_texts(part);
            if texts.is_empty() {
                texts.push(Rc::from(HOLE.to_string()));
            }
            out = Some(match out {
                None => texts
                    .iter()
                    .map(|text| Value::Const(text::known(text)))
                    .reduce(|a, b| a.join(&b))
                    .unwrap_or_default(),
                Some(before) => {
                    let mut all: Option<Value> = None;
                    for head in Self::path_texts(&before).iter().take(4) {
                        for tail in texts.iter().take(4) {
                            let joined = if tail.starts_with('/') || head.is_empty() {
                                tail.to_string()
                            } else {
                                format!("{}/{tail}", head.trim_end_matches('/'))
                            };
                            if joined.len() > 4096 {
                                continue;
                            }
                            let one = Value::Const(text::known(&joined));
                            all = Some(either_of(all, &one));
                        }
                    }
                    all.unwrap_or_default()
                }
            });
        }
        out.unwrap_or_default().with_taints(&gather(parts.iter()))
    }
}

/// A file in which a project keeps its secrets, and which is read as the environment is.
fn is_dotenv(file: &str) -> bool {
    let rest = file.strip_prefix(".env");
    rest.is_some_and(|rest| {
        rest.is_empty()
            || rest.starts_with('.')
                && !["example", "sample", "template", "dist"]
                    .iter()
                    .any(|word| rest.contains(word))
    })
}

/// The lists of hosts in the folder of SSH's keys.
fn names_hosts(normal: &str) -> bool {
    ["/.ssh/config", "/.ssh/known_hosts"]
        .iter()
        .any(|end| normal.ends_with(end))
}
