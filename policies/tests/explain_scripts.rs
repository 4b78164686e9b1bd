//! Ten whole scripts as models write them, scanned for real: what `policy explain` answers on each is kept beside it,
//! and what it advises under many layers is done and has to help.

use std::collections::BTreeSet;
use std::{fs, path::Path};

use saferun_policy::{
    ClientKind, Decision, DecisionRequest, Explanation, LayerKind, Loaded, Point, Source, Verdict,
    load, preset_names,
};
use saferun_scanner::{Options, Report, scan};

const OWN: &str = "~/.config/saferun/policy.yaml";

/// A script with what the scan says of it: as it is, and with the comments that silence findings.
struct Script {
    name: String,
    code: String,
    reports: [Report; 2],
}

impl Script {
    fn report(&self, honour_suppressions: bool) -> Report {
        self.reports[usize::from(honour_suppressions)].clone()
    }
}

/// Each script.
fn scripts() -> Vec<Script> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let entries = fs::read_dir(folder).expect("the scripts");
    let mut scripts: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy();
            let code = fs::read_to_string(&path).expect("a script");
            Script {
                name: name.into_owned(),
                reports: [false, true].map(|honour| scanned(&code, honour)),
                code,
            }
        })
        .collect();
    scripts.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(scripts.len() >= 10, "only {}", scripts.len());
    scripts
}

fn scanned(code: &str, honour_suppressions: bool) -> Report {
    let options = Options {
        honour_suppressions,
        ..Options::default()
    };
    scan(code, &options)
}

fn asks() -> DecisionRequest {
    DecisionRequest {
        person_present: true,
        client: ClientKind::Terminal,
        ..DecisionRequest::default()
    }
}

#[test]
fn each_script_gets_an_answer_that_a_person_understands() {
    let loaded = load(&[]).expect("a preset");
    for script in scripts() {
        let code = Some(script.code.as_str());
        let explained = loaded.explain(&|honour| script.report(honour), &asks(), code);
        let decision = loaded.policy.decide(&script.report(false), &asks());
        assert_eq!(explained.decision, decision);
        insta::assert_snapshot!(script.name.as_str(), explained.to_string());
    }
}

/// The texts of the layers, each with its lines as a person would write them.
#[derive(Debug, Clone)]
struct Files {
    own: Option<String>,
    rest: Vec<Source>,
    chosen: Option<Source>,
    /// Whether the command is an agent's, whose words only tighten.
    agent: bool,
}

impl Files {
    fn sources(&self) -> Vec<Source> {
        let own = self.own.iter();
        own.map(|text| Source::yaml(LayerKind::User, OWN, format!("version: 1\n{text}")))
            .chain(self.rest.iter().cloned())
            .chain(self.chosen.iter().cloned().map(|source| {
                if self.agent {
                    source.tightening()
                } else {
                    source
                }
            }))
            .collect()
    }

    fn load(&self) -> Option<Loaded> {
        load(&self.sources()).ok()
    }

    /// With a few keys added to the user's own file, as text.
    fn own(&self, text: &str) -> Self {
        let own = Some(joined(self.own.as_deref(), text));
        Self {
            own,
            ..self.clone()
        }
    }

    /// With a few keys in a file that is given with the command.
    fn file(&self, text: &str) -> Self {
        let text = format!("version: 1\n{text}\n");
        Self {
            chosen: Some(Source::yaml(LayerKind::Flags, "given.yaml", text)),
            ..self.clone()
        }
    }

    /// Under a preset that is named with the command.
    fn preset(&self, name: &str) -> Self {
        Self {
            chosen: Some(Source::flag("--policy", "preset", name)),
            ..self.clone()
        }
    }

    /// Without one line of one file.
    fn without(&self, file: &str, line: usize) -> Self {
        let cut = |text: &str, line: usize| {
            let lines = text.lines().enumerate();
            let kept = lines.filter(|(at, _)| at + 1 != line);
            kept.flat_map(|(_, text)| [text, "\n"]).collect::<String>()
        };
        let mut files = self.clone();
        if file == OWN {
            // The first line is the version.
            files.own = files.own.map(|text| cut(&text, line - 1));
        }
        for source in files.rest.iter_mut().chain(files.chosen.iter_mut()) {
            if source.name == file
                && let saferun_policy::Content::Yaml(text) = &mut source.content
            {
                *text = cut(text, line);
            }
        }
        files
    }
}

/// One line of keys brought into a file in which each section is one line: a section that is there is made one with it.
fn joined(file: Option<&str>, added: &str) -> String {
    let mut lines: Vec<String> = file
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    for line in added.lines() {
        let (section, value) = line.split_once(": ").expect("a section");
        let inner = |text: &str| {
            text.strip_prefix('{')
                .and_then(|text| text.strip_suffix('}'))
                .map(str::to_owned)
        };
        let there = lines
            .iter_mut()
            .find(|line| line.split(':').next() == Some(section));
        match (there, inner(value)) {
            (Some(there), Some(value)) => {
                let old = there.split_once(": ").and_then(|(_, old)| inner(old));
                let old = old.expect("a section in one line");
                let key = value.split(':').next().unwrap_or_default();
                let kept = parts(&old)
                    .into_iter()
                    .filter(|part| !same(part.split(':').next().unwrap_or_default(), key));
                let all: Vec<String> = kept.chain([value.clone()]).collect();
                *there = format!("{section}: {{{}}}", all.join(", "));
            }
            (Some(there), None) => line.clone_into(there),
            (None, _) => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

/// Whether two keys are one: a rule has a name and an id.
fn same(one: &str, other: &str) -> bool {
    let id = |word: &str| saferun_scanner::explain(word).map(|doc| doc.rule.id);
    one == other || (id(one).is_some() && id(one) == id(other))
}

/// The items of a mapping in one line.
fn parts(text: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for letter in text.chars() {
        match letter {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            _ => {}
        }
        if letter == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(letter);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

fn layers() -> Vec<Files> {
    let owns = [
        None,
        Some("preset: strict"),
        Some("preset: agent"),
        Some("preset: secure-sandbox"),
        Some("preset: safe-executor"),
        Some("levels: {HIGH: refuse, BLOCKED: refuse}"),
        Some("levels: {HIGH: override-isolate}\noverride: {allowed: false}"),
        Some("imports: {block: [os, subprocess, smtplib, requests]}"),
        Some("imports: {default: block, allow: [json, csv]}\ncalls: {block: [open, exec]}"),
        Some("rules: {shell-dynamic: BLOCKED, SR223: HIGH}\nlevels: {BLOCKED: refuse}"),
        Some("custom_rules: [{id: no-open, call: open, level: BLOCKED, message: Opens files}]"),
        Some("preset: permissive\noverride: {who: [editor]}\nlevels: {BLOCKED: override}"),
        Some("runtime: runsc"),
    ];
    let projects = [
        None,
        Some("preset: strict"),
        Some("levels: {MEDIUM: override, HIGH: refuse}"),
        Some("imports: {default: block, allow: [json, csv, os]}\nlevels: {MEDIUM: isolate}"),
        Some("override: {allowed: false}\nrules: {deletes-home: BLOCKED, SR239: BLOCKED}"),
        Some("custom_rules: [{id: no-os, import: os, level: BLOCKED, message: No system calls}]"),
    ];
    let chosen = [
        None,
        Some(Source::flag("--policy", "preset", "permissive")),
        Some(Source::yaml(
            LayerKind::Flags,
            "given.yaml",
            "version: 1\nimports: {block: [os]}\n",
        )),
    ];
    let mut all = Vec::new();
    for own in owns {
        for project in projects {
            for chosen in &chosen {
                let project = project.map(|text| {
                    let text = format!("version: 1\n{text}\n");
                    Source::yaml(LayerKind::Project, ".saferun.yaml", text)
                });
                let variable = Source::variable("SAFERUN_CALLS_BLOCK", "eval");
                all.push(Files {
                    own: own.map(str::to_owned),
                    rest: project.into_iter().chain(variable).collect(),
                    chosen: chosen.clone(),
                    agent: false,
                });
            }
        }
    }
    all
}

/// The texts in backquotes after a word.
fn quoted<'t>(text: &'t str, after: &str) -> Vec<&'t str> {
    let Some((_, rest)) = text.split_once(after) else {
        return Vec::new();
    };
    rest.split('`').skip(1).step_by(2).collect()
}

struct Told<'a> {
    files: &'a Files,
    script: &'a Script,
    request: &'a DecisionRequest,
    explained: &'a Explanation,
    seen: &'a mut BTreeSet<&'static str>,
}

impl Told<'_> {
    fn decide(&self, files: &Files, request: &DecisionRequest) -> Decision {
        let loaded = files.load().unwrap_or_else(|| {
            panic!(
                "the advice breaks the policy: {files:?}\n{}",
                self.explained
            )
        });
        let report = self.script.report(loaded.policy.honour_suppressions);
        loaded.policy.decide(&report, request)
    }

    fn helps(&mut self, what: &'static str, advice: &str, helps: bool) {
        assert!(
            helps,
            "{what}: `{advice}` does not help over {:?}:\n{}",
            self.files, self.explained
        );
        self.seen.insert(what);
    }

    /// Whether the clause of a point still speaks in another decision.
    fn silent(&self, point: &Point, decision: &Decision) -> bool {
        let said = |text: &str| {
            let text = text.split(" (the scanner says").next().unwrap_or(text);
            text.split_once(' ').map_or("", |(_, rest)| rest).to_owned()
        };
        let clause = &point.clause;
        if clause.text.starts_with("nothing riskier") {
            return decision.verdict != self.explained.decision.verdict;
        }
        let name = |text: &str| text.split(',').next().unwrap_or(text).to_owned();
        !decision.reasons.iter().any(|other| {
            (said(&other.text) == said(&clause.text) || name(&other.text) == name(&clause.text))
                && other.code_line == clause.code_line
        })
    }

    fn point(&mut self, point: &Point) {
        if point.change.is_empty() {
            self.seen.insert("nothing");
        }
        for way in point.change.split(", or ").filter(|way| !way.is_empty()) {
            let asked = self.request;
            let tried = if way.ends_with(" of the code") {
                self.seen.insert("code");
                continue;
            } else if way.contains("in your own policy") {
                let words = words(way);
                if way.contains(" in place of line ") {
                    assert!(
                        self.files
                            .own
                            .as_deref()
                            .is_some_and(|own| own.contains("rules:"))
                    );
                    self.seen.insert("in place");
                }
                words.iter().map(|word| self.files.own(word)).collect()
            } else if way.contains("in a file that you give with --policy FILE") {
                let words = words(way);
                words.iter().map(|word| self.files.file(word)).collect()
            } else if let Some((_, place)) = way.split_once("line ") {
                let (line, file) = place.split_once(" of ").expect(way);
                vec![self.files.without(file, line.parse().expect(way))]
            } else if way.starts_with("leave out the preset ") {
                vec![self.files.without(".saferun.yaml", 2)]
            } else if way.starts_with("give the reason") || way.starts_with("run it yourself") {
                self.at_once(point, way);
                continue;
            } else {
                panic!("no such advice is known: {way}\n{}", self.explained);
            };
            assert!(!tried.is_empty(), "{way}");
            for files in &tried {
                let decision = self.decide(files, asked);
                let what = if way.contains("own policy") {
                    "own"
                } else if way.contains("--policy FILE") {
                    "file"
                } else {
                    "place"
                };
                self.helps(what, way, self.silent(point, &decision));
            }
        }
    }

    /// What whoever asks can do without changing a file.
    fn at_once(&mut self, point: &Point, way: &str) {
        let mut request = self.request.clone();
        if way.starts_with("give the reason") {
            request.override_reason = Some("why it is fine".to_owned());
        } else {
            request.person_present = true;
            request.client = if way.ends_with("terminal") {
                ClientKind::Terminal
            } else {
                ClientKind::Editor
            };
        }
        let decision = self.decide(self.files, &request);
        self.helps("at once", way, self.silent(point, &decision));
    }

    fn change(&mut self, change: &str) {
        let verdict = self.explained.decision.verdict;
        let person = DecisionRequest {
            override_reason: Some("why it is fine".to_owned()),
            gvisor_available: self.request.gvisor_available,
            ..asks()
        };
        if change.starts_with("let a person decide") {
            let (said, _) = change.split_once(", against").expect(change);
            let text = quoted(said, "say ").join("\n");
            let files = if change.contains("your own policy") {
                self.files.own_lines(&text)
            } else {
                self.files.file(&text)
            };
            let after = self.decide(&files, &person).verdict;
            self.helps("leave", change, !verdict.runs() && after.runs());
        } else if change.contains("--override") {
            let after = self.decide(self.files, &person).verdict;
            self.helps("override", change, !verdict.runs() && after.runs());
        } else if change.starts_with("confirm it in the editor") {
            let editor = DecisionRequest {
                client: ClientKind::Editor,
                ..person
            };
            let after = self.decide(self.files, &editor).verdict;
            self.helps("editor", change, !verdict.runs() && after.runs());
        } else if change.contains("gVisor") {
            let host = DecisionRequest {
                gvisor_available: true,
                ..self.request.clone()
            };
            let after = self.decide(self.files, &host);
            let better = after.verdict < verdict || after.verdict == Verdict::AllowStricter;
            self.helps("gvisor", change, better);
        } else {
            panic!("no such advice is known: {change}");
        }
    }
}

impl Files {
    /// Several sections at once.
    fn own_lines(&self, text: &str) -> Self {
        let lines = text.lines();
        lines.fold(self.clone(), |files, line| {
            let (section, value) = line.split_once(": {").expect(line);
            let value = value.strip_suffix('}').expect(line);
            let parts = parts(value).into_iter();
            parts.fold(files, |files, part| {
                files.own(&format!("{section}: {{{part}}}"))
            })
        })
    }
}

/// Every script under every combination of layers: each piece of advice is written into the files as a person would do
/// it, they are read again, and the decision has to be another.
#[test]
fn all_advice_helps() {
    let mut seen = BTreeSet::new();
    let mut count = 0;
    let scripts = scripts();
    // A fifth of all combinations has each of the layers with each of the others'.
    for (index, mut files) in layers().into_iter().step_by(5).enumerate() {
        let request = who(index);
        files.agent = request.client == ClientKind::Agent;
        let loaded = files
            .load()
            .unwrap_or_else(|| panic!("{:?}", load(&files.sources())));
        for script in &scripts {
            let explained = loaded.explain(&|honour| script.report(honour), &request, None);
            let mut told = Told {
                files: &files,
                script,
                request: &request,
                explained: &explained,
                seen: &mut seen,
            };
            for point in &explained.points {
                told.point(point);
                count += 1;
            }
            for change in &explained.changes {
                told.change(change);
                count += 1;
            }
            for (name, verdict) in &explained.elsewhere {
                assert!(preset_names().contains(&name.as_str()));
                let after = told.decide(&files.preset(name), &request).verdict;
                told.helps("elsewhere", name, after == *verdict);
            }
        }
    }
    assert!(count > 1000, "only {count} were tried");
    let all = [
        "at once",
        "code",
        "elsewhere",
        "file",
        "gvisor",
        "in place",
        "leave",
        "override",
        "own",
        "place",
    ];
    for kind in all {
        assert!(seen.contains(kind), "{kind} is not among {seen:?}");
    }
}

/// Who asks: mostly a person at a terminal.
fn who(index: usize) -> DecisionRequest {
    let reason = || Some("I am sure".to_owned());
    match index % 5 {
        3 => DecisionRequest {
            client: ClientKind::Agent,
            person_present: false,
            override_reason: index.is_multiple_of(2).then(reason).flatten(),
            gvisor_available: index.is_multiple_of(3),
            ..asks()
        },
        4 => DecisionRequest {
            client: ClientKind::Editor,
            override_reason: index.is_multiple_of(2).then(String::new),
            ..asks()
        },
        _ => asks(),
    }
}

/// What a way tells to write, as lines of a policy.
fn words(way: &str) -> Vec<String> {
    if let Some((_, rest)) = way.split_once("add `") {
        let (name, rest) = rest.split_once("` to `").expect(way);
        let list = rest.split('`').next().expect(way);
        let section = list.strip_suffix(".allow").expect(way);
        return vec![format!("{section}: {{allow: [{name}]}}")];
    }
    quoted(way, "say ").into_iter().map(str::to_owned).collect()
}
