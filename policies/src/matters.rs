//! What in a report the policy has a word on: findings at their effective level, blocked names, custom rules.
//! Each layer is folded in order: a trusted one replaces what was said, a project's only makes it stricter.

use std::collections::BTreeSet;

use saferun_scanner::{Finding, Level, Report, Usage, UsageKind};

use crate::action::Action;
use crate::decide::level_key;
use crate::decision::Clause;
use crate::diagnostic::clean;
use crate::layer::{CustomRule, RuleLine, RuleSetting};
use crate::names::{Say, readings, section, speaker};
use crate::origin::Origin;
use crate::paths::{MAX_LENGTH, Reading};
use crate::policy::Policy;

/// One thing that the policy speaks of, with what it wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matter {
    pub(crate) level: Level,
    pub(crate) action: Action,
    pub(crate) clause: Clause,
}

/// From so many names on, the scanner's list may have been cut, and what was cut off may be what is blocked.
const FULL: usize = 20_000;

/// Most characters of paths that one decision compares with patterns, a path once for each pattern: about a second.
const MAX_WORK: usize = 200_000_000;
/// What it costs to compare with a pattern at all, in characters.
const PER_COMPARISON: usize = 100;

/// The work of comparing each path of the code with so many patterns, in characters.
fn comparing(usages: &[&Usage], patterns: usize) -> usize {
    let paths = usages.iter().filter(|usage| usage.kind == UsageKind::Path);
    let lengths = paths.map(|usage| usage.name.len().min(MAX_LENGTH) + PER_COMPARISON);
    lengths.sum::<usize>().saturating_mul(patterns)
}

/// A blocked name: which clause blocks it.
struct Blocked<'a> {
    key: String,
    origin: &'a Origin,
    pattern: Option<&'a str>,
    /// What the name means to that clause.
    means: String,
}

impl Policy {
    /// Every matter of a report; a name that is used often is spoken of once, where it is used first.
    pub(crate) fn matters(&self, report: &Report, language: &str) -> Vec<Matter> {
        let mut matters = Vec::new();
        for (index, finding) in report.findings.iter().enumerate() {
            matters.extend(self.finding(finding, Some(index)));
        }
        if !self.honour_suppressions {
            for silenced in &report.suppressed {
                matters.extend(self.finding(&silenced.finding, None));
            }
        }
        let mut seen = BTreeSet::new();
        let mut usages: Vec<&Usage> = report.usages.iter().collect();
        usages.retain(|usage| seen.insert((usage.kind, usage.name.as_str())));
        let patterns = self.patterns_over_paths();
        if comparing(&usages, patterns) > MAX_WORK {
            let text = format!(
                "the code names so many paths that none was compared with the {patterns} patterns of this policy"
            );
            matters.push(self.at_level(Level::Blocked, text, None, None));
            usages.retain(|usage| usage.kind != UsageKind::Path);
        }
        for usage in usages {
            matters.extend(self.blocked(usage, language));
            matters.extend(self.custom(usage));
        }
        let cut = report.incomplete || report.usages.len() >= FULL;
        if cut && self.speaks_of_names() {
            let text =
                "the scan did not finish, so names that this policy blocks may have gone unseen";
            matters.push(self.at_level(Level::Blocked, text.to_owned(), None, None));
        }
        matters
    }

    fn at_level(
        &self,
        level: Level,
        text: String,
        finding: Option<usize>,
        line: Option<u32>,
    ) -> Matter {
        let key = level_key(level);
        let clause = Clause {
            origin: self.origin_of(key),
            key: key.to_owned(),
            text,
            finding,
            code_line: line,
        };
        Matter {
            level,
            action: self.levels.at(level),
            clause,
        }
    }

    fn finding(&self, finding: &Finding, index: Option<usize>) -> Option<Matter> {
        let (level, line) = self.level_of(&finding.rule, &finding.name, finding.level);
        let level = level?;
        let mut text = format!(
            "{level} {}: {}",
            clean(&finding.name),
            clean(&finding.message)
        );
        if let Some(line) = line
            && level != finding.level
        {
            text = format!(
                "{text} (the scanner says {}; {} sets it)",
                finding.level, line.origin
            );
        }
        if index.is_none() {
            text.push_str(" (a comment in the code silences it, which this policy ignores)");
        }
        Some(self.at_level(level, text, index, Some(finding.range.start.line)))
    }

    /// The effective level of a rule, `None` if it is off, and the line that set it.
    fn level_of(&self, id: &str, name: &str, level: Level) -> (Option<Level>, Option<&RuleLine>) {
        let (mut current, mut by) = (Some(level), None);
        for layer in &self.merged.stack {
            for line in &layer.rules {
                if !line.rule.eq_ignore_ascii_case(id) && !line.rule.eq_ignore_ascii_case(name) {
                    continue;
                }
                let wanted = match line.setting {
                    RuleSetting::Off => None,
                    RuleSetting::Level(level) => Some(level),
                };
                if !layer.tightens || wanted > current {
                    (current, by) = (wanted, Some(line));
                }
            }
        }
        (current, by)
    }

    fn blocked(&self, usage: &Usage, language: &str) -> Option<Matter> {
        // What is allowed is allowed in each of its meanings.
        let by = readings(usage.kind, &usage.name)
            .iter()
            .find_map(|reading| self.blocker(usage.kind, reading, language))?;
        // A built-in is called by its bare name, in the code as in a policy.
        let bare = usage.name.strip_prefix("builtins.").unwrap_or(&usage.name);
        let mut used = format!("{} `{}`", verb(usage.kind), clean(bare));
        if by.means != usage.name {
            used = format!("{used}, read as `{}`", clean(&by.means));
        }
        let text = match by.pattern {
            Some(pattern) if pattern != bare => {
                format!("{used}, which the policy's entry `{pattern}` blocks")
            }
            Some(_) => format!("{used}, which the policy blocks"),
            None => format!("{used}, which is not on the policy's list of what is allowed"),
        };
        let clause = Clause {
            origin: by.origin.clone(),
            key: by.key,
            text,
            finding: None,
            code_line: Some(usage.range.start.line),
        };
        Some(Matter {
            level: Level::Blocked,
            action: self.levels.blocked,
            clause,
        })
    }

    fn blocker(
        &self,
        kind: UsageKind,
        reading: &Reading<'_>,
        language: &str,
    ) -> Option<Blocked<'_>> {
        let prefix = |own: Option<&str>| {
            own.map_or_else(
                || section(kind).to_owned(),
                |own| format!("languages.{own}.{}", section(kind)),
            )
        };
        let mut said: Option<(Say, Blocked<'_>)> = None;
        let mut fallback: Option<(bool, Say, Blocked<'_>)> = None;
        for layer in &self.merged.stack {
            let default = layer
                .fallbacks
                .iter()
                .filter(|line| line.kind == kind && line.language.is_none_or(|own| own == language))
                .max_by_key(|line| line.language.is_some());
            let default = default.map(|line| {
                let key = format!("{}.default", prefix(line.language));
                (
                    line.language.is_some(),
                    line.say,
                    Blocked {
                        key,
                        origin: &line.origin,
                        pattern: None,
                        means: reading.text.to_string(),
                    },
                )
            });
            let entry = speaker(&layer.entries, reading, kind, language);
            let spoken = entry.map(|(entry, means)| {
                let word = if entry.say == Say::Allow {
                    "allow"
                } else {
                    "block"
                };
                let key = format!("{}.{word}", prefix(entry.language));
                let pattern = Some(entry.pattern.text.as_str());
                (
                    entry.say,
                    Blocked {
                        key,
                        origin: &entry.origin,
                        pattern,
                        means: means.to_owned(),
                    },
                )
            });
            match (layer.tightens, spoken, default) {
                (false, spoken, default) => {
                    said = spoken.or(said);
                    // A language's own default is more specific than any later general one.
                    if let Some(default) = default
                        && (default.0 || !fallback.as_ref().is_some_and(|(own, ..)| *own))
                    {
                        fallback = Some(default);
                    }
                }
                (true, Some((Say::Block, by)), _) | (true, None, Some((_, Say::Block, by))) => {
                    said = Some((Say::Block, by));
                }
                (true, ..) => {}
            }
        }
        match (said, fallback) {
            (Some((Say::Block, by)), _) | (None, Some((_, Say::Block, by))) => Some(by),
            _ => None,
        }
    }

    /// The custom rules of every layer that match a name.
    pub(crate) fn custom_rules_on<'a>(
        &'a self,
        usage: &'a Usage,
    ) -> impl Iterator<Item = &'a CustomRule> {
        let readings = readings(usage.kind, &usage.name);
        let rules = self.merged.stack.iter().flat_map(|layer| &layer.custom);
        rules.filter(move |rule| {
            let spoken = |reading| rule.pattern.spoken(reading, rule.kind, Say::Block);
            rule.kind == usage.kind && readings.iter().any(|reading| spoken(reading).is_some())
        })
    }

    fn custom(&self, usage: &Usage) -> Vec<Matter> {
        self.custom_rules_on(usage)
            .filter_map(|rule| {
                let level = self.level_of("", &rule.id, rule.level).0?;
                let text = format!("{level} {}: {}", rule.id, clean(&rule.message));
                let clause = Clause {
                    origin: rule.origin.clone(),
                    key: format!("custom_rules.{}", rule.id),
                    text,
                    finding: None,
                    code_line: Some(usage.range.start.line),
                };
                Some(Matter {
                    level,
                    action: self.levels.at(level),
                    clause,
                })
            })
            .collect()
    }

    /// In all layers, also of other languages.
    fn patterns_over_paths(&self) -> usize {
        let counts = self.merged.stack.iter().map(|layer| {
            let entries = layer.entries.iter().map(|entry| entry.kind);
            let custom = layer.custom.iter().map(|rule| rule.kind);
            let kinds = entries.chain(custom);
            kinds.filter(|kind| *kind == UsageKind::Path).count()
        });
        counts.sum()
    }

    fn speaks_of_names(&self) -> bool {
        self.merged.stack.iter().any(|layer| {
            layer.entries.iter().any(|entry| entry.say == Say::Block)
                || layer.fallbacks.iter().any(|line| line.say == Say::Block)
        })
    }
}

const fn verb(kind: UsageKind) -> &'static str {
    match kind {
        UsageKind::Import => "imports",
        UsageKind::Call => "calls",
        UsageKind::Attribute => "reads",
        UsageKind::Path => "opens",
    }
}
