//! The catalogue: what a rule says, and the tables that hold all of them. A rule that needs more than a table names
//! itself with [`Match::Engine`] and is raised by the engine; its text still stands here.

mod anti_analysis;
pub(crate) mod catalog;
mod crypto;
mod deserialise;
pub(crate) mod effects;
pub(crate) mod effects_data;
mod execution;
mod exhaustion;
mod files;
mod flows;
mod infrastructure;
mod native;
mod network;
mod network_ways;
pub(crate) mod paths;
mod persistence;
mod privilege;
mod processes;
mod secrets;
mod shell;
mod source;
mod spying;

use crate::Level;

/// What area a rule belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// The text itself: syntax, limits, suppressions.
    Source,
    /// Code made of data.
    Execution,
    /// Other programs.
    Processes,
    /// Text handed to a shell.
    Shell,
    /// Files that are deleted, overwritten or read.
    Files,
    /// Keys, tokens and passwords.
    Secrets,
    /// Being run again.
    Persistence,
    /// Data that leaves or arrives.
    Network,
    /// Objects made of bytes.
    Deserialisation,
    /// Code outside of the interpreter.
    Native,
    /// Rights and the kernel.
    Privilege,
    /// Memory, time, processes, disk.
    Exhaustion,
    /// Hiding from whoever looks.
    AntiAnalysis,
    /// Databases, clouds, containers.
    Infrastructure,
    /// Keyboard, screen, clipboard, camera.
    Spying,
    /// Weak or disabled protection of data.
    Cryptography,
    /// Data that travels from a source to a sink.
    Flows,
}

/// How a path is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Its content is read.
    Read,
    /// Its content is written or replaced.
    Write,
    /// It is deleted.
    Delete,
    /// It is run or loaded.
    Run,
}

/// A condition on the arguments of a call.
#[derive(Debug, Clone, Copy)]
pub enum When {
    /// This argument (position, keyword) is sure to be true.
    True(u8, &'static str),
    /// This argument is sure to be false.
    False(u8, &'static str),
    /// This argument is one of these texts.
    Text(u8, &'static str, &'static [&'static str]),
    /// This argument is a text that contains one of these, whatever the case.
    Contains(u8, &'static str, &'static [&'static str]),
    /// This argument is a number of at least this size.
    AtLeast(u8, &'static str, i64),
    /// This argument is given.
    Given(u8, &'static str),
    /// This argument is not given.
    Absent(u8, &'static str),
    /// The call has no argument at all.
    Empty,
}

/// What raises a rule.
#[derive(Debug, Clone, Copy)]
pub enum Match {
    /// A call of one of these resolved names. `open().write` is the method of what a call gives; `*` is any name.
    Call(&'static [&'static str]),
    /// A call of one of these names whose arguments meet the condition.
    CallWhen(&'static [&'static str], When),
    /// An import of one of these modules, or of anything inside.
    Import(&'static [&'static str]),
    /// One of these names is read, with or without being called.
    Name(&'static [&'static str]),
    /// A known path that matches one of these patterns is used so.
    Path(Access, &'static [&'static str]),
    /// Code of the engine raises it.
    Engine,
}

/// One rule: what it looks for and all that is said of it.
#[derive(Debug)]
pub struct Rule {
    /// Stable id, as `SR101`.
    pub id: &'static str,
    /// Stable kebab-case name.
    pub name: &'static str,
    /// What is at stake, unless the engine knows better from the arguments.
    pub level: Level,
    /// The area it belongs to.
    pub category: Category,
    /// CWE number, where one fits.
    pub cwe: Option<u32>,
    /// One sentence about the place; `{name}` is the resolved name, `{arg}` the known first argument or path.
    pub message: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// Code that raises it.
    pub bad: &'static str,
    /// What to write instead.
    pub safer: &'static str,
    /// What raises it.
    pub matches: &'static [Match],
}

/// All tables, in the order in which rules are listed.
const TABLES: &[&[Rule]] = &[
    source::RULES,
    execution::RULES,
    processes::RULES,
    shell::RULES,
    files::RULES,
    secrets::RULES,
    persistence::RULES,
    network::RULES,
    network_ways::RULES,
    deserialise::RULES,
    native::RULES,
    privilege::RULES,
    exhaustion::RULES,
    anti_analysis::RULES,
    infrastructure::RULES,
    spying::RULES,
    crypto::RULES,
    flows::RULES,
];

/// Every rule of the catalogue.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    TABLES.iter().flat_map(|table| table.iter())
}

/// The rules of the catalogue, and those on files that are no plain script (notebooks, encodings, Markdown).
pub fn explained_rules() -> impl Iterator<Item = &'static Rule> {
    rules().chain(crate::extract::RULES)
}

/// The documentation of a rule, by id (`SR101`) or name (`shell-command`).
#[must_use]
pub fn explain(rule: &str) -> Option<RuleDoc> {
    explained_rules()
        .find(|known| known.id.eq_ignore_ascii_case(rule) || known.name == rule)
        .map(|rule| RuleDoc { rule })
}

/// What `saferunctl explain` prints.
#[derive(Debug, Clone, Copy)]
pub struct RuleDoc {
    /// The rule itself.
    pub rule: &'static Rule,
}

impl RuleDoc {
    /// The rule as Markdown: what, why, example, safer way, source.
    #[must_use]
    pub fn markdown(&self) -> String {
        let rule = self.rule;
        let mut text = format!(
            "# {} {}\n\nLevel: {}. Category: {:?}.\n\n{}\n\n{}\n\n## Example\n\n```python\n{}\n```\n\n## Instead\n\n{}\n",
            rule.id,
            rule.name,
            rule.level,
            rule.category,
            rule.message
                .replace("{name}", "the call")
                .replace("{arg}", "its argument"),
            rule.why,
            rule.bad,
            rule.safer
        );
        if let Some(cwe) = rule.cwe {
            let number = cwe.to_string();
            for part in [
                "\nSee [CWE-",
                &number,
                "](https://cwe.mitre.org/data/definitions/",
                &number,
                ".html)\n",
            ] {
                text.push_str(part);
            }
        }
        text
    }
}
