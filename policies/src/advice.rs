//! What would change a decision. Each piece of advice is tried before it is given: the layers, the request or the code
//! are changed as it says and decided on again, and what does not help is not said.

mod changes;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use saferun_scanner::{Level, Report, Usage, UsageKind};

use crate::action::{Action, Gate};
use crate::amend::{self, Place};
use crate::decide::MISSING_GVISOR;
use crate::decision::{Clause, ClientKind, Decision, DecisionRequest, Runtime, Verdict};
use crate::diagnostic::clean;
use crate::layer::{Layer, Reach};
use crate::load::{Loaded, together};
use crate::names::{WILD, kind_of};
use crate::origin::{LayerKind, Origin};
use crate::paths::is_sweeping;
use crate::policy::Policy;

const REASON: &str = "why it is fine";
/// Lines of the code that one piece of advice names.
const LINES: usize = 5;

/// A scan of the code; with `true`, comments in the code silence findings.
pub(crate) type Scan<'a> = &'a dyn Fn(bool) -> Report;

/// A decision together with everything that it was made of.
pub(crate) struct Case<'a> {
    loaded: &'a Loaded,
    scan: Scan<'a>,
    reports: [OnceCell<Report>; 2],
    uses: OnceCell<Uses>,
    request: &'a DecisionRequest,
    pub(crate) decision: Decision,
}

/// What a clause speaks of, by which it is found again in another decision.
enum Subject<'a> {
    /// That gVisor is missing.
    Tier,
    /// A finding, by its index.
    Finding(usize),
    /// Names at these lines of the code, sorted, by the beginning of the text.
    Lines(Vec<u32>, &'a str),
    /// A rule on overrides, or the runtime.
    Key,
    /// That nothing stands against the run.
    Nothing,
}

impl<'a> Case<'a> {
    pub(crate) fn new(loaded: &'a Loaded, scan: Scan<'a>, request: &'a DecisionRequest) -> Self {
        let reports = [OnceCell::new(), OnceCell::new()];
        let honour = loaded.policy.honour_suppressions;
        let report = reports[usize::from(honour)].get_or_init(|| scan(honour));
        let decision = loaded.policy.decide(report, request);
        Self {
            loaded,
            scan,
            reports,
            uses: OnceCell::new(),
            request,
            decision,
        }
    }

    fn policy(&self) -> &Policy {
        &self.loaded.policy
    }

    /// The report that the decision is on.
    pub(crate) fn report(&self) -> &Report {
        self.scanned(self.policy().honour_suppressions)
    }

    fn scanned(&self, honour: bool) -> &Report {
        self.reports[usize::from(honour)].get_or_init(|| (self.scan)(honour))
    }

    /// How much a word of the command line may do, by who gives it.
    fn reach(&self) -> Reach {
        match self.request.client {
            ClientKind::Terminal | ClientKind::Editor => Reach::Replaces,
            ClientKind::Watch | ClientKind::Agent => Reach::Tightens,
        }
    }

    /// The answer under a preset that is named on the command line, with all other layers as they are.
    pub(crate) fn under(&self, preset: &str) -> Option<Verdict> {
        let layers = amend::under(&self.loaded.layers, preset, self.reach());
        Some(self.decided(layers, self.request)?.1.verdict)
    }

    /// The decision over other layers; nothing where they cannot hold together.
    fn decided(&self, layers: Vec<Layer>, request: &DecisionRequest) -> Option<(Policy, Decision)> {
        let policy = together(layers, Vec::new(), &[]).ok()?.policy;
        let decision = policy.decide(self.scanned(policy.honour_suppressions), request);
        Some((policy, decision))
    }

    /// The decision of the policy as it is, on another request.
    fn asked(&self, change: impl FnOnce(&mut DecisionRequest)) -> Decision {
        let mut request = self.request.clone();
        change(&mut request);
        self.policy().decide(self.report(), &request)
    }

    /// What would make a clause fall silent; empty where nothing that is known does.
    pub(crate) fn change(&self, clause: &Clause) -> String {
        let mut ways: Vec<String> = self.in_the_code(clause).into_iter().collect();
        ways.extend(self.in_the_request(clause));
        ways.extend(self.in_the_policy(clause));
        ways.join(", or ")
    }

    fn in_the_code(&self, clause: &Clause) -> Option<String> {
        let lines = self.lines(clause);
        let mut words: Vec<String> = lines.iter().map(u32::to_string).collect();
        let last = words.pop().filter(|_| words.len() < LINES)?;
        let lines_word = if words.is_empty() { "line" } else { "lines" };
        let joined = if words.is_empty() {
            last
        } else {
            format!("{} and {last}", words.join(", "))
        };
        if clause.text == MISSING_GVISOR {
            let changed = self
                .policy()
                .decide(&without(self.report(), &lines), self.request);
            if speaks(&changed, clause, &Subject::Tier) {
                return None;
            }
        }
        Some(format!("change {lines_word} {joined} of the code"))
    }

    /// The lines of the code that a clause speaks of: a name that is used again is spoken of once.
    fn lines(&self, clause: &Clause) -> Vec<u32> {
        let Some(line) = clause.code_line else {
            return Vec::new();
        };
        let mut names = self.usages_at(line);
        let name = names.find(|usage| self.speaks_of(clause, usage));
        let known = name.and_then(|name| self.uses().names.get(&(name.kind, name.name.clone())));
        known.map_or_else(|| vec![line], |lines| lines.iter().copied().collect())
    }

    fn uses(&self) -> &Uses {
        self.uses.get_or_init(|| Uses::of(self.report()))
    }

    /// The usages that begin in a line of the code, in its order.
    fn usages_at(&self, line: u32) -> impl Iterator<Item = &Usage> {
        let usages = &self.report().usages;
        let indices = self.uses().lines.get(&line).into_iter().flatten();
        indices.filter_map(|index| usages.get(*index))
    }

    /// Whether a clause on names was made of this one.
    fn speaks_of(&self, clause: &Clause, usage: &Usage) -> bool {
        if clause.finding.is_some() {
            return false;
        }
        if let Some(id) = clause.key.strip_prefix("custom_rules.") {
            let mut rules = self.policy().custom_rules_on(usage);
            return rules.any(|rule| rule.id == id);
        }
        let bare = usage.name.strip_prefix("builtins.").unwrap_or(&usage.name);
        let section = clause.key.rsplit('.').nth(1).and_then(kind_of);
        section.is_none_or(|kind| kind == usage.kind)
            && clause.text.contains(&format!(" `{}`,", clean(bare)))
    }

    fn subject<'c>(&self, clause: &'c Clause) -> Subject<'c> {
        if clause.text == MISSING_GVISOR {
            return Subject::Tier;
        }
        match (clause.finding, clause.code_line) {
            (Some(index), _) => Subject::Finding(index),
            // A level may change without the finding's falling silent.
            (None, Some(_)) if clause.key.starts_with("levels.") => {
                let rest = clause.text.split_once(' ').map_or("", |(_, rest)| rest);
                let name = rest.split(':').next().unwrap_or(rest);
                Subject::Lines(self.lines(clause), name)
            }
            (None, Some(_)) if clause.key.starts_with("custom_rules.") => {
                let rest = clause.text.split_once(' ').map_or("", |(_, rest)| rest);
                Subject::Lines(self.lines(clause), rest)
            }
            (None, Some(_)) => {
                let name = clause.text.split(',').next().unwrap_or(&clause.text);
                Subject::Lines(self.lines(clause), name)
            }
            (None, None) if clause.key.starts_with("levels.") => Subject::Nothing,
            (None, None) => Subject::Key,
        }
    }

    /// Whether a clause falls silent in another decision, or, where it says that all is well, the answer is another.
    fn silent(&self, clause: &Clause, decision: &Decision) -> bool {
        let subject = self.subject(clause);
        if matches!(subject, Subject::Nothing) {
            return decision.verdict != self.decision.verdict;
        }
        !speaks(decision, clause, &subject)
    }

    fn in_the_request(&self, clause: &Clause) -> Option<String> {
        let at = |client| {
            let decision = self.asked(|request| {
                request.client = client;
                request.person_present = true;
            });
            self.silent(clause, &decision)
        };
        match clause.key.as_str() {
            "override.who" | "override.unattended" if at(ClientKind::Terminal) => {
                Some("run it yourself in a terminal".to_owned())
            }
            "override.who" | "override.unattended" if at(ClientKind::Editor) => {
                Some("run it yourself in an editor".to_owned())
            }
            "override.reason_required" => {
                let given = self.asked(|request| request.override_reason = Some(REASON.to_owned()));
                self.silent(clause, &given)
                    .then(|| format!("give the reason in words: --override '{REASON}'"))
            }
            "runtime" if self.request.runtime.is_some() => {
                let free = self.asked(|request| request.runtime = None);
                self.silent(clause, &free)
                    .then(|| "ask for no runtime".to_owned())
            }
            _ => None,
        }
    }

    /// The first way that helps: a word in the user's own file; else the line where the clause stands, or a word in a
    /// file that is given with the command.
    fn in_the_policy(&self, clause: &Clause) -> Vec<String> {
        let words = self.words(clause);
        if let Some(own) = self.helpful(clause, Place::Own, &words) {
            return vec![own];
        }
        let mut ways: Vec<String> = self.at_its_place(clause).into_iter().collect();
        ways.extend(self.helpful(clause, Place::File(self.reach()), &words));
        ways
    }

    fn helpful(&self, clause: &Clause, place: Place, words: &[Word]) -> Option<String> {
        let helps = |word: &&Word| {
            let layers = amend::said(&self.loaded.layers, place, &word.text);
            layers.is_some_and(|layers| self.silences(clause, layers))
        };
        let mut ways: Vec<String> = Vec::new();
        let mut after = String::new();
        for word in words.iter().filter(helps) {
            // `say A or B in your own policy`
            let how = word.how.strip_prefix("say ").filter(|_| !ways.is_empty());
            ways.push(how.unwrap_or(&word.how).to_owned());
            after = self.after(word, place);
        }
        let place = told(place);
        (!ways.is_empty()).then(|| format!("{} in {place}{after}", ways.join(" or ")))
    }

    /// What else is to be known of a word that switches a rule off.
    fn after(&self, word: &Word, place: Place) -> String {
        let Some(rule) = &word.rule else {
            return String::new();
        };
        // It may call the rule by its id there, and both would be a contradiction.
        let stands = amend::line_on(&self.loaded.layers, place, rule);
        let instead = stands.map_or_else(String::new, |line| format!(" in place of line {line}"));
        format!("{instead}, which silences the rule for every script")
    }

    fn silences(&self, clause: &Clause, layers: Vec<Layer>) -> bool {
        self.decided(layers, self.request)
            .is_some_and(|(policy, decision)| {
                // Findings are told apart by their place in the report, which may be another one then.
                let same = policy.honour_suppressions == self.policy().honour_suppressions;
                (same || clause.finding.is_none()) && self.silent(clause, &decision)
            })
    }

    /// The line that says it, or the setting.
    fn at_its_place(&self, clause: &Clause) -> Option<String> {
        let origin = &clause.origin;
        let layers = amend::without(&self.loaded.layers, origin)?;
        if !self.silences(clause, layers) {
            return None;
        }
        let Origin { file, line, .. } = origin;
        let file = clean(file);
        Some(match (clause.key.split_once('.'), origin.layer, line) {
            (_, LayerKind::Environment, 0) => format!("leave {file} out of the environment"),
            (_, _, 0) => format!("leave {file} out"),
            (Some(("custom_rules", id)), ..) if file == origin.file => {
                format!("remove the rule `{id}`, which is made in line {line} of {file}")
            }
            _ if file.starts_with("preset ") => format!("leave out the {file}"),
            _ => format!("change line {line} of {file}"),
        })
    }

    /// What could be said against a clause.
    fn words(&self, clause: &Clause) -> Vec<Word> {
        let key = clause.key.as_str();
        let say = |text: String| Word::say(text, None);
        let silence = |rule: &str| {
            let text = format!("rules: {{{rule}: off}}");
            Word::say(text, Some(rule.to_owned()))
        };
        let rule = self.rule(clause);
        match (key.split_once('.'), rule) {
            (Some(("levels", _)), Some(rule)) => vec![silence(&rule)],
            // The same gate, and gVisor only where there is one.
            (Some(("levels", level)), None) if clause.text == MISSING_GVISOR => {
                let action = match self.action(level).gate {
                    Gate::Run => Action::ISOLATE_IF_AVAILABLE,
                    Gate::Override | Gate::Refuse => Action::OVERRIDE,
                };
                vec![say(format!("levels: {{{level}: {action}}}"))]
            }
            (Some(("levels", level)), None) => ["override", "refuse"]
                .map(|action| say(format!("levels: {{{level}: {action}}}")))
                .into(),
            (Some(("custom_rules", id)), _) => vec![silence(id)],
            (Some(("override", "who")), _) => vec![say(format!(
                "override: {{who: [{}]}}",
                self.allowed_with(self.request.client)
            ))],
            (Some(("override", what)), _) => {
                let value = what != "reason_required";
                vec![say(format!("override: {{{what}: {value}}}"))]
            }
            (None, _) => vec![say(format!("{key}: {}", Runtime::Runc))],
            (Some(_), _) => self.allowing(clause).into_iter().collect(),
        }
    }

    /// Adding the name that a clause blocks to the list of what is allowed. The name is the code's, and an entry is a
    /// pattern: one that would mean more than the name is no advice.
    fn allowing(&self, clause: &Clause) -> Option<Word> {
        let (list, _) = clause.key.rsplit_once('.')?;
        let name = clause.text.split('`').nth(1)?;
        let whole = self
            .usages_at(clause.code_line?)
            .any(|usage| usage.name.strip_prefix("builtins.").unwrap_or(&usage.name) == name);
        let path = list.rsplit('.').next().and_then(kind_of) == Some(UsageKind::Path);
        if !whole || name.contains(WILD) || (path && is_sweeping(name)) {
            return None;
        }
        let all = if path {
            ", and with it all that is in it if it is a folder,"
        } else {
            ""
        };
        // JSON's texts are YAML's.
        let quoted = serde_json::Value::from(name).to_string();
        let mut text = format!("{{allow: [{quoted}]}}");
        for (depth, part) in list.rsplit('.').enumerate() {
            text = if depth + 1 == list.split('.').count() {
                format!("{part}: {text}")
            } else {
                format!("{{{part}: {text}}}")
            };
        }
        Some(Word {
            text,
            how: format!("add `{name}` to `{list}.allow`{all}"),
            rule: None,
        })
    }

    fn action(&self, level: &str) -> Action {
        let level = Level::ALL.into_iter().find(|known| known.as_str() == level);
        self.policy().action_at(level.unwrap_or(Level::Blocked))
    }

    /// The scanner's rule behind a clause.
    fn rule(&self, clause: &Clause) -> Option<String> {
        let report = self.report();
        if let Some(index) = clause.finding {
            return report.findings.get(index).map(|found| clean(&found.name));
        }
        let line = clause.code_line?;
        let silenced = report.suppressed.iter().map(|silenced| &silenced.finding);
        silenced
            .filter(|found| found.range.start.line == line)
            .map(|found| clean(&found.name))
            .find(|name| clause.text.contains(&format!(" {name}: ")))
    }

    fn allowed_with(&self, client: ClientKind) -> String {
        let who = &self.policy().override_rules.who;
        let all = ClientKind::ALL.into_iter();
        let words: Vec<&str> = all
            .filter(|kind| *kind == client || who.contains(kind))
            .map(ClientKind::as_str)
            .collect();
        words.join(", ")
    }
}

/// Where the code uses what, to look it up.
struct Uses {
    /// The usages of a line, by their place in the report.
    lines: BTreeMap<u32, Vec<usize>>,
    /// The lines of a name.
    names: BTreeMap<(UsageKind, String), BTreeSet<u32>>,
}

impl Uses {
    fn of(report: &Report) -> Self {
        let mut uses = Self {
            lines: BTreeMap::new(),
            names: BTreeMap::new(),
        };
        for (index, usage) in report.usages.iter().enumerate() {
            let line = usage.range.start.line;
            uses.lines.entry(line).or_default().push(index);
            let name = (usage.kind, usage.name.clone());
            uses.names.entry(name).or_default().insert(line);
        }
        uses
    }
}

/// A few keys of the language, and how a person is told to say them.
struct Word {
    text: String,
    how: String,
    /// The rule that it switches off.
    rule: Option<String>,
}

impl Word {
    fn say(text: String, rule: Option<String>) -> Self {
        Self {
            how: format!("say `{text}`"),
            text,
            rule,
        }
    }
}

fn with_a_reason(request: &DecisionRequest, client: ClientKind) -> DecisionRequest {
    DecisionRequest {
        override_reason: Some(REASON.to_owned()),
        person_present: true,
        client,
        ..request.clone()
    }
}

fn speaks(decision: &Decision, clause: &Clause, subject: &Subject<'_>) -> bool {
    decision.reasons.iter().any(|other| match subject {
        Subject::Tier => other.text == MISSING_GVISOR,
        Subject::Finding(index) => other.finding == Some(*index) && other.text != MISSING_GVISOR,
        Subject::Lines(lines, text) => {
            other.text.contains(text)
                && other
                    .code_line
                    .is_some_and(|line| lines.binary_search(&line).is_ok())
        }
        Subject::Key => other.key == clause.key,
        Subject::Nothing => false,
    })
}

/// The report on the code without these lines, which are sorted.
fn without(report: &Report, lines: &[u32]) -> Report {
    let mut report = report.clone();
    let stays = |range: &saferun_scanner::Range| lines.binary_search(&range.start.line).is_err();
    report.findings.retain(|found| stays(&found.range));
    report.suppressed.retain(|it| stays(&it.finding.range));
    report.usages.retain(|usage| stays(&usage.range));
    report
}

const fn told(place: Place) -> &'static str {
    match place {
        Place::Own => "your own policy",
        Place::File(_) => "a file that you give with --policy FILE",
    }
}

/// Where a clause stands, for a person: presets are no files on the disk.
pub(crate) fn stands(origin: &Origin) -> String {
    if origin.layer == LayerKind::Preset {
        format!(
            "line {} of the built-in preset {}",
            origin.line, origin.file
        )
    } else {
        origin.to_string()
    }
}
