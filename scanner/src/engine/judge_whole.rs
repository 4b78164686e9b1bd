//! Rules over the whole module, and over texts in other languages: SQL and regular expressions.

use super::Engine;
use super::call::Call;
use super::emit::Raise;
use super::value::{Const, Ref, Value};
use crate::Level;
use crate::syntax::ir::{ClassId, NONE};
use crate::syntax::symbols::sym;

impl Engine {
    /// Rules over the whole module, once its passes are over.
    pub(crate) fn judge_whole(&mut self) {
        self.settle_findings();
        self.judge_reduce();
        self.judge_reverse_shell();
        self.judge_ransom();
        self.judge_spawned();
        self.judge_clipboard();
    }

    /// `__reduce__` that gives something that runs things: the pickle runs it where it is loaded.
    fn judge_reduce(&mut self) {
        let classes: Vec<ClassId> = self.class_scopes.keys().copied().collect();
        for class in classes {
            for name in [sym::REDUCE, sym::REDUCE_EX] {
                let method = self.class_lookup(class, name, false);
                for one in method.refs() {
                    let Ref::Func(func) = one else { continue };
                    let Some(&slot) = self.returns.get(&func) else {
                        continue;
                    };
                    let value = self.ask_slot(slot);
                    let callee = self.item_of(&value, 0);
                    let args = self.item_of(&value, 1);
                    let Some(name) = self.dangerous_ref(&callee) else {
                        continue;
                    };
                    let at = self.program.funcs[func as usize].body.0;
                    self.raise(
                        "SR113",
                        at,
                        Raise {
                            subject: Some(name),
                            ..Raise::default()
                        },
                    );
                    let mut call = Call::bare(at);
                    call.pos.extend(
                        args.items()
                            .into_iter()
                            .flat_map(|items| items.iter().take(8).cloned()),
                    );
                    if !call.pos.is_empty() {
                        self.call_value(&callee, call);
                    }
                }
            }
        }
    }

    fn raised(&self, ids: &[&str]) -> Option<(u32, u32)> {
        self.findings
            .iter()
            .find(|raw| ids.contains(&self.catalog.rules[usize::from(raw.rule)].id))
            .map(|raw| (raw.start, raw.end))
    }

    /// A socket whose descriptor becomes the standard streams of a shell.
    fn judge_reverse_shell(&mut self) {
        let Some(connect) = self.raised(&["SR602", "SR603"]) else {
            return;
        };
        let Some(duplicate) = self.raised(&["SR622"]) else {
            return;
        };
        let Some(_) = self.raised(&["SR201", "SR202", "SR204", "SR205", "SR207", "SR239"]) else {
            return;
        };
        let _ = connect;
        self.raise_range("SR612", duplicate);
    }

    /// The clipboard is read and replaced: addresses of wallets are swapped like this.
    fn judge_clipboard(&mut self) {
        let Some(range) = self.raised(&["SR863"]) else {
            return;
        };
        let replaces = self.usages.iter().any(|usage| {
            matches!(
                self.names.text(&self.symbols, usage.name).as_str(),
                "pyperclip.copy" | "clipboard.copy" | "win32clipboard.SetClipboardData"
            )
        });
        let watches = self.usages.iter().any(|usage| {
            matches!(
                self.names.text(&self.symbols, usage.name).as_str(),
                "re.match" | "re.search" | "re.fullmatch" | "re.compile" | "re.sub"
            )
        });
        if replaces && watches {
            self.raise_range_at("SR863", range, Some(Level::High));
        }
    }

    /// Files are walked over, encrypted and removed or replaced.
    fn judge_ransom(&mut self) {
        let Some(encrypt) = self.raised(&["SR890"]) else {
            return;
        };
        let walks = self.usages.iter().any(|usage| {
            matches!(
                self.names.text(&self.symbols, usage.name).as_str(),
                "os.walk" | "os.scandir" | "pathlib.Path().rglob" | "glob.glob" | "os.listdir"
            )
        });
        let writes = self
            .raised(&["SR305", "SR307", "SR304", "SR318", "SR301", "SR311"])
            .is_some();
        if walks && writes {
            self.raise_range("SR891", encrypt);
        }
    }

    /// Raises a rule of the whole module at a range that another finding has.
    fn raise_range(&mut self, id: &str, range: (u32, u32)) {
        self.raise_range_at(id, range, None);
    }

    fn raise_range_at(&mut self, id: &str, range: (u32, u32), level: Option<Level>) {
        let number = self.catalog.rule(id);
        let rule = self.catalog.rules[usize::from(number)];
        self.findings.push(super::Raw {
            rule: number,
            level: level.unwrap_or(rule.level),
            message: rule.message.replace("{name}", "this program"),
            start: range.0,
            end: range.1,
            subject: NONE,
            step: None,
            tag: self.passes.tag(),
        });
    }

    /// SQL that destroys.
    pub(crate) fn judge_sql_text(&mut self, call: &Call, query: &Value) {
        for one in query.consts().to_vec() {
            let (Const::Str(text) | Const::Partial(text)) = one else {
                continue;
            };
            let words = text
                .split_whitespace()
                .map(str::to_ascii_lowercase)
                .collect::<Vec<_>>();
            let plain = words.join(" ");
            let found = if plain.contains("drop database") || plain.contains("drop schema") {
                Some(("SR841", Some(Level::Blocked)))
            } else if plain.starts_with("drop ")
                || plain.contains("; drop ")
                || plain.starts_with("truncate ")
            {
                Some(("SR841", None))
            } else if (plain.starts_with("delete from") || plain.starts_with("update "))
                && !plain.contains(" where ")
            {
                Some(("SR842", None))
            } else if plain.starts_with("grant all")
                || plain.contains("xp_cmdshell")
                || plain.contains("into outfile")
                || plain.contains("copy ") && plain.contains(" program ")
            {
                Some(("SR843", None))
            } else {
                None
            };
            if let Some((rule, level)) = found {
                let arg = super::judge::shortened(&text);
                self.raise(
                    rule,
                    call.at,
                    Raise {
                        level,
                        arg,
                        subject: Some(call.name),
                        ..Raise::default()
                    },
                );
            }
        }
    }

    /// A pattern whose repetition of a repetition can take exponential time.
    pub(crate) fn judge_regex(&mut self, call: &Call, pattern: &Value) {
        let Some(text) = pattern.as_str() else { return };
        if nested_quantifier(text) {
            let arg = super::judge::shortened(text);
            self.raise(
                "SR807",
                call.at,
                Raise {
                    arg,
                    subject: Some(call.name),
                    ..Raise::default()
                },
            );
        }
    }
}

/// Finds `(...+)+` and its like: a quantified group that holds an unbounded quantifier at its end.
fn nested_quantifier(pattern: &str) -> bool {
    let mut groups: Vec<bool> = Vec::new();
    let mut escaped = false;
    let mut class = false;
    let mut last_group: Option<bool> = None;
    for letter in pattern.chars() {
        if escaped {
            escaped = false;
            last_group = None;
            if let Some(open) = groups.last_mut() {
                *open = false;
            }
            continue;
        }
        match letter {
            '\\' => escaped = true,
            '[' if !class => class = true,
            ']' if class => {
                class = false;
                last_group = None;
            }
            _ if class => {}
            '(' => {
                groups.push(false);
                last_group = None;
            }
            ')' => last_group = groups.pop(),
            '+' | '*' => {
                if last_group == Some(true) {
                    return true;
                }
                if let Some(open) = groups.last_mut() {
                    *open = true;
                }
                last_group = None;
            }
            '?' => {}
            _ => {
                last_group = None;
                if let Some(open) = groups.last_mut() {
                    *open = false;
                }
            }
        }
    }
    false
}
