//! Laws of the merge, as properties: a project never widens, the order of projects does not matter, saying a thing
//! twice changes nothing. Random values, layers and reports; the table of keys decides what is generated.

mod files;

use files::{Line, PATHS, file};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use saferun_scanner::{Finding, Level, Position, Range, Report, Usage, UsageKind};

use crate::action::Action;
use crate::decision::{ClientKind, DecisionRequest, Runtime, Verdict};
use crate::keys::{self, Key, Kind, Scope};
use crate::layer::{Content, Reach, Source};
use crate::load::load;
use crate::origin::LayerKind;
use crate::policy::Policy;
use crate::presets::preset_names;
use crate::rate::{Rate, conjoin};
use crate::units::{Bytes, MilliCpus};
use crate::value::{Met, Tighten, Value};

const NAMES: [&str; 9] = [
    "os",
    "os.path",
    "os.system",
    "sys",
    "json",
    "builtins.eval",
    "pickle.load",
    "a.b.c",
    "requests",
];
const PATTERNS: [&str; 10] = [
    "os", "os.*", "os.path", "sys", "eval", "*", "*.load", "json", "a.*", "requests",
];

fn value(key: &'static Key) -> BoxedStrategy<Value> {
    match key.kind {
        Kind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Kind::Count { min, max } => (min..=max.min(min + 500)).prop_map(Value::Count).boxed(),
        Kind::Bytes { min, max } => {
            let most = max.0.min(min.0 + Bytes::gib(2).0);
            (min.0..=most)
                .prop_map(|bytes| Value::Bytes(Bytes(bytes)))
                .boxed()
        }
        Kind::Cpus { min, .. } => (min.0..4000)
            .prop_map(|cpus| Value::Cpus(MilliCpus(cpus)))
            .boxed(),
        Kind::Time { min, max } => (min..=max)
            .prop_map(|millis| Value::Time(std::time::Duration::from_millis(millis)))
            .boxed(),
        Kind::Percent { max } => (0..=max).prop_map(Value::Percent).boxed(),
        Kind::Action => select(Action::WORDS.map(|(_, action)| action).to_vec())
            .prop_map(Value::Action)
            .boxed(),
        Kind::Rates { .. } => vec((1..50_u32, 1..100_u64), 0..4)
            .prop_map(|pairs| {
                let rates: Vec<Rate> = pairs
                    .into_iter()
                    .map(|(count, secs)| Rate {
                        count,
                        window: std::time::Duration::from_secs(secs),
                    })
                    .collect();
                Value::Rates(conjoin(&rates, &[]))
            })
            .boxed(),
        Kind::Word(words) => select(words).prop_map(Value::Word).boxed(),
        Kind::Words(words) => subsequence(words, 0..=words.len())
            .prop_map(Value::Words)
            .boxed(),
        Kind::Text { .. } => "[a-z]{1,8}".prop_map(Value::Text).boxed(),
        Kind::Texts { .. } => {
            let items = ["a/**", "b/*", "gen.py"].map(str::to_owned).to_vec();
            subsequence(items, 0..=3).prop_map(Value::Texts).boxed()
        }
    }
}

/// A key with three values of its kind.
fn three() -> impl Strategy<Value = (&'static Key, Value, Value, Value)> {
    let keys: Vec<&'static Key> = keys::all()
        .iter()
        .filter(|key| key.tighten != Tighten::Never)
        .collect();
    select(keys).prop_flat_map(|key| (Just(key), value(key), value(key), value(key)))
}

fn text(value: &Value) -> String {
    value.to_string().trim_matches(['[', ']']).to_owned()
}

/// One setting, valid in a project.
fn setting() -> impl Strategy<Value = (String, String)> {
    let keys: Vec<&'static Key> = keys::all()
        .iter()
        .filter(|key| key.scope == Scope::Any && !matches!(key.kind, Kind::Text { .. }))
        .collect();
    let plain = select(keys)
        .prop_flat_map(|key| value(key).prop_map(move |value| (key.path.to_owned(), text(&value))));
    let sections = vec!["imports", "calls", "attributes", "paths"];
    let say = select(vec!["allow", "block"]);
    let names = (
        select(sections.clone()),
        say.clone(),
        select(PATTERNS.to_vec()),
    )
        .prop_map(|(section, list, pattern)| (format!("{section}.{list}"), pattern.to_owned()));
    let defaults = (select(sections), say)
        .prop_map(|(section, say)| (format!("{section}.default"), say.to_owned()));
    let rules = (
        select(vec!["SR201", "shell-command"]),
        select(vec!["off", "LOW", "HIGH", "BLOCKED"]),
    )
        .prop_map(|(rule, level)| (format!("rules.{rule}"), level.to_owned()));
    let presets = select(preset_names()).prop_map(|name| ("preset".to_owned(), name.to_owned()));
    prop_oneof![6 => plain, 3 => names, 1 => defaults, 2 => rules, 1 => presets]
}

/// One setting of a plain key, or a preset, as a line of a file.
fn setting_of_a_file() -> impl Strategy<Value = Line> {
    let keys: Vec<&'static Key> = keys::all()
        .iter()
        .filter(|key| key.scope == Scope::Any && !matches!(key.kind, Kind::Text { .. }))
        .collect();
    let plain = select(keys)
        .prop_flat_map(|key| value(key).prop_map(|value| Line::new(key.path, value.to_string())));
    let presets = select(preset_names()).prop_map(|name| Line::new("preset", name));
    prop_oneof![8 => plain, 1 => presets]
}

fn source(layer: LayerKind, (key, value): &(String, String)) -> Source {
    Source {
        layer,
        name: "generated".to_owned(),
        content: Content::Setting {
            key: key.clone(),
            value: value.clone(),
        },
        reach: Reach::Replaces,
    }
}

fn base(preset: &str, user: &[(String, String)]) -> Vec<Source> {
    let chosen = ("preset".to_owned(), preset.to_owned());
    let settings = user.iter().filter(|(key, _)| key != "preset");
    settings
        .chain([&chosen])
        .map(|setting| source(LayerKind::User, setting))
        .collect()
}

fn policy(sources: &[Source]) -> Option<Policy> {
    load(sources).ok().map(|loaded| loaded.policy)
}

fn with(base: &[Source], projects: &[Source]) -> Option<Policy> {
    policy(&[base, projects].concat())
}

/// That there is no policy to speak of.
fn unsound() -> TestCaseError {
    TestCaseError::reject("what was generated does not hold together")
}

/// Whether each says one thing: a file of several may contradict itself over some base, and then nothing runs.
fn alone(projects: &[Source]) -> bool {
    let setting = |project: &Source| matches!(project.content, Content::Setting { .. });
    projects.iter().all(setting)
}

/// A project's word alone, or a file of several.
fn project() -> impl Strategy<Value = Source> {
    let alone = setting().prop_map(|setting| source(LayerKind::Project, &setting));
    prop_oneof![alone, file(LayerKind::Project)]
}

/// What a script without a person says on its command line comes on top.
fn by_a_script(base: &[Source], words: &[(String, String)]) -> Option<Policy> {
    let words = words
        .iter()
        .map(|setting| source(LayerKind::Flags, setting).choosing());
    policy(&base.iter().cloned().chain(words).collect::<Vec<_>>())
}

fn report() -> impl Strategy<Value = Report> {
    let range = Range {
        start: Position { line: 1, column: 1 },
        end: Position { line: 1, column: 2 },
    };
    let finding = (
        select(Level::ALL.to_vec()),
        select(vec![("SR201", "shell-command"), ("SR202", "process-start")]),
    )
        .prop_map(move |(level, (rule, name))| Finding {
            rule: rule.to_owned(),
            name: name.to_owned(),
            level,
            message: "does it".to_owned(),
            range,
            bytes: (0, 1),
            cwe: None,
            subject: String::new(),
            evidence: Vec::new(),
            cell: None,
        });
    let kinds = vec![UsageKind::Import, UsageKind::Call, UsageKind::Attribute];
    let names = (select(kinds), select(NAMES.to_vec()));
    let paths = (Just(UsageKind::Path), select(PATHS.to_vec()));
    let usage = prop_oneof![names, paths].prop_map(move |(kind, name)| Usage {
        kind,
        name: name.to_owned(),
        range,
    });
    (vec(finding, 0..3), vec(usage, 0..4), any::<bool>()).prop_map(
        |(findings, usages, incomplete)| Report {
            findings,
            usages,
            suppressed: Vec::new(),
            incomplete,
        },
    )
}

fn request() -> impl Strategy<Value = DecisionRequest> {
    let client = select(ClientKind::ALL.to_vec());
    let reason = prop_oneof![
        Just(None),
        Just(Some(String::new())),
        Just(Some("why".to_owned()))
    ];
    let language = select(vec!["", "python", "shell"]);
    (reason, any::<bool>(), any::<bool>(), client, language).prop_map(
        |(override_reason, person_present, gvisor_available, client, language)| DecisionRequest {
            override_reason,
            person_present,
            gvisor_available,
            client,
            runtime: None,
            language: language.to_owned(),
        },
    )
}

/// How strict an answer is: whether it runs, and in what.
fn rank(policy: &Policy, report: &Report, request: &DecisionRequest) -> (u8, Runtime) {
    let decision = policy.decide(report, request);
    match decision.verdict {
        Verdict::Allow | Verdict::AllowStricter => (0, decision.runtime),
        Verdict::NeedsOverride => (1, Runtime::Runsc),
        Verdict::Refuse => (2, Runtime::Runsc),
    }
}

fn says(policy: &Policy) -> Vec<(&'static str, Value)> {
    policy
        .merged
        .values
        .iter()
        .map(|(key, effective)| (*key, effective.value.clone()))
        .collect()
}

proptest! {
    // What does not hold together is no case and is made anew: where more than half does not, the laws say nothing.
    #![proptest_config(ProptestConfig { cases: 256, max_global_rejects: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn meet_is_a_meet((key, a, b, c) in three()) {
        let meet = |one: &Value, other: &Value| one.meet(other, key.tighten, key.words());
        prop_assert_eq!(meet(&a, &a), a.clone(), "{} is idempotent", key.path);
        prop_assert_eq!(meet(&a, &b), meet(&b, &a), "{} is commutative", key.path);
        prop_assert_eq!(meet(&meet(&a, &b), &c), meet(&a, &meet(&b, &c)), "{} is associative", key.path);
        prop_assert_eq!(meet(&a, &meet(&a, &b)), meet(&a, &b), "{} is absorbing", key.path);
    }

    #[test]
    fn tightening_gives_the_meet_and_nothing_else((key, a, b, _) in three()) {
        let meet = a.meet(&b, key.tighten, key.words());
        match a.tightened_by(&b, key.tighten, key.words()) {
            Met::Same => prop_assert_eq!(meet, a),
            Met::Tightened(value) | Met::Widens(value) => prop_assert_eq!(value, meet),
        }
    }

    #[test]
    fn a_project_only_tightens(
        preset in select(preset_names()),
        user in vec(setting(), 0..4),
        own in vec(file(LayerKind::User), 0..2),
        projects in vec(project(), 0..5),
        reports in vec((report(), request()), 1..6),
    ) {
        let base_sources = [own, base(preset, &user)].concat();
        // Random user layers may contradict themselves; then there is nothing to tighten.
        let Some(before) = policy(&base_sources) else { return Err(unsound()) };
        let after = with(&base_sources, &projects);
        prop_assert!(after.is_some() || !alone(&projects), "a project broke a policy that held: {projects:?}");
        let Some(after) = after else { return Err(unsound()) };
        for ((path, old), (_, new)) in says(&before).into_iter().zip(says(&after)) {
            let Some(key) = keys::find(path) else { continue };
            let wanted = if key.tighten == Tighten::Never { old } else { old.meet(&new, key.tighten, key.words()) };
            prop_assert_eq!(wanted, new, "{} was widened by {:?}", path, projects);
        }
        for (report, request) in &reports {
            let (loose, tight) = (rank(&before, report, request), rank(&after, report, request));
            prop_assert!(tight >= loose, "{loose:?} became {tight:?} by {projects:?} on {report:?}");
        }
    }

    #[test]
    fn a_script_without_a_person_is_decided_on_no_more_mildly_than_its_owner_says(
        preset in select(preset_names()),
        user in vec(setting(), 0..4),
        words in vec(setting(), 0..5),
        reports in vec((report(), request()), 1..6),
    ) {
        let base_sources = base(preset, &user);
        let Some(before) = policy(&base_sources) else { return Err(unsound()) };
        // It may choose what cannot hold together, files that do not fit into memory; then it is told so, and nothing runs.
        let Some(after) = by_a_script(&base_sources, &words) else { return Err(unsound()) };
        let values = says(&after);
        for ((path, old), (_, new)) in says(&before).into_iter().zip(&values) {
            let Some(key) = keys::find(path) else { continue };
            // Of a limit it takes what it wants, up to the maximum; the maximum is the owner's.
            let limit = path.strip_suffix(".default").map(|limit| format!("{limit}.max"));
            let most = values.iter().find(|(path, _)| Some(*path) == limit.as_deref());
            let bound = most.map_or(&old, |(_, most)| most);
            let wanted = if key.tighten == Tighten::Never { old } else { bound.meet(new, key.tighten, key.words()) };
            prop_assert_eq!(&wanted, new, "{} was widened by {:?}", path, words);
        }
        for (report, request) in &reports {
            let (loose, tight) = (rank(&before, report, request), rank(&after, report, request));
            prop_assert!(tight >= loose, "{loose:?} became {tight:?} by {words:?} on {report:?}");
        }
    }

    #[test]
    fn the_order_of_projects_does_not_matter(
        preset in select(preset_names()),
        projects in vec(project(), 2..5),
        report in report(),
        request in request(),
    ) {
        let base = base(preset, &[]);
        let mut reversed = projects.clone();
        reversed.reverse();
        let doubled: Vec<_> = projects.iter().chain(&projects).cloned().collect();
        let alone = alone(&projects);
        let one = with(&base, &projects);
        prop_assert!(one.is_some() || !alone, "did not load");
        let Some(one) = one else { return Err(unsound()) };
        for other in [reversed, doubled] {
            let other = with(&base, &other);
            prop_assert!(other.is_some() || !alone, "did not load");
            let Some(other) = other else { return Err(unsound()) };
            prop_assert_eq!(says(&one), says(&other));
            prop_assert_eq!(rank(&one, &report, &request), rank(&other, &report, &request));
        }
    }

    #[test]
    fn a_later_trusted_layer_wins_whatever_stood_before((key, a, b, _) in three()) {
        if key.scope != Scope::Any || matches!(key.kind, Kind::Text { .. }) {
            return Ok(());
        }
        let set = |layer, value: &Value| source(layer, &(key.path.to_owned(), text(value)));
        let both = policy(&[set(LayerKind::System, &a), set(LayerKind::User, &b)]);
        let last = policy(&[set(LayerKind::User, &b)]);
        let (Some(both), Some(last)) = (both, last) else { return Err(unsound()) };
        prop_assert_eq!(both.hash(), last.hash(), "{}", key.path);
    }

    #[test]
    fn reading_never_panics_and_says_something(text in "[ -~\n]{0,200}") {
        let _ = crate::load::check(&Source::yaml(LayerKind::User, "x", text));
    }

    #[test]
    fn a_damaged_preset_never_panics(preset in select(preset_names()), at in 0..2000_usize, junk in "[\\x00-\\x7f]{1,4}") {
        let Some(text) = crate::presets::preset_text(preset) else { return Ok(()) };
        let mut text = text.to_owned();
        let at = at.min(text.len());
        if text.is_char_boundary(at) {
            text.insert_str(at, &junk);
        }
        for found in crate::load::check(&Source::yaml(LayerKind::Project, "x", text)) {
            let steers = found.to_string().contains('\x1b');
            prop_assert!(!steers);
        }
    }
}
