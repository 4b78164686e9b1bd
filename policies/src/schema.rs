//! The JSON Schema of the language, for editors, and the list of keys for the documentation: both from the table.

use schemars::Schema;
use serde_json::{Map, Value as Json, json};

use crate::action::Action;
use crate::keys::{self, Key, Kind, LANGUAGES, NAME_SECTIONS, Scope};
use crate::value::Tighten;

/// Every plain key with its sentence, in the order of the documentation.
#[must_use]
pub fn documented_keys() -> Vec<(&'static str, String)> {
    keys::all()
        .iter()
        .map(|key| (key.path, key.sentence()))
        .collect()
}

/// The table of every plain key for the language reference, as Markdown.
#[must_use]
pub fn key_table() -> String {
    let base = crate::load::preset_merge("default");
    let mut text = String::from("| key | default preset | who | meaning |\n|---|---|---|---|\n");
    for key in keys::all().iter().filter(|key| key.path != "description") {
        let value = base
            .values
            .get(key.path)
            .map(|effective| effective.value.to_string())
            .unwrap_or_default();
        let who = match (key.scope, key.tighten) {
            (Scope::Trusted, _) => "system, user",
            (Scope::User, _) => "user",
            (Scope::Any, Tighten::Never) => "all but projects",
            (Scope::Any, _) => "all; a project tightens",
        };
        text = format!(
            "{text}| `{}` | `{value}` | {who} | {} |\n",
            key.path,
            key.sentence()
        );
    }
    text
}

/// The JSON Schema (draft 2020-12) of a policy file. What it cannot say, the loader checks.
#[must_use]
pub fn schema() -> Schema {
    let mut root = object("");
    if let Some(properties) = root.get_mut("properties").and_then(Json::as_object_mut) {
        let mut add = |name: &str, value: Json| properties.insert(name.to_owned(), value);
        add(
            "version",
            json!({"const": 1, "description": "Version of the language."}),
        );
        add(
            "preset",
            json!({
                "enum": crate::presets::preset_names(),
                "description": "The policy that this one is built on; a project's only tightens.",
            }),
        );
        for section in NAME_SECTIONS {
            add(section, names(section));
        }
        let own: Map<String, Json> = NAME_SECTIONS
            .into_iter()
            .map(|section| (section.to_owned(), names(section)))
            .collect();
        let language = json!({"type": "object", "additionalProperties": false, "properties": own});
        let each: Map<String, Json> = LANGUAGES
            .into_iter()
            .map(|name| (name.to_owned(), language.clone()))
            .collect();
        add(
            "languages",
            json!({
                "type": "object", "additionalProperties": false, "properties": each,
                "description": "Lists of names for one language, stronger than the general ones.",
            }),
        );
        add(
            "rules",
            json!({
                "type": "object",
                "description": "The level of a rule by its id or name, or `off`.",
                "additionalProperties": {"enum": ["off", "LOW", "MEDIUM", "HIGH", "BLOCKED"]},
            }),
        );
        add("custom_rules", custom_rules());
        add("tests", tests());
    }
    if let Some(root) = root.as_object_mut() {
        root.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        root.insert("title".to_owned(), json!("SafeRun policy"));
        root.insert("required".to_owned(), json!(["version"]));
    }
    Schema::try_from(root).unwrap_or_default()
}

/// The object that stands at a path, with everything below it.
fn object(path: &str) -> Json {
    let mut properties = Map::new();
    for name in keys::children(path) {
        let below = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        if let Some(key) = keys::find(&below) {
            properties.insert(name.to_owned(), leaf(key));
        } else if keys::is_section(&below) {
            properties.insert(name.to_owned(), section(&below));
        }
    }
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

/// A section; a limit with both halves may also be one value.
fn section(path: &str) -> Json {
    let halves = keys::find(&format!("{path}.default")).zip(keys::find(&format!("{path}.max")));
    match halves {
        Some((key, _)) => {
            let mut single = leaf(key);
            let doc = key.doc.split(". ").next().unwrap_or(key.doc);
            if let Some(single) = single.as_object_mut() {
                single.remove("description");
            }
            json!({"description": format!("{doc}."), "anyOf": [single, object(path)]})
        }
        None => object(path),
    }
}

fn leaf(key: &Key) -> Json {
    let mut value = match key.kind {
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Count { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Kind::Bytes { .. } => {
            json!({"type": "string", "pattern": "^[0-9]+(B|kB|MB|GB|KiB|MiB|GiB)$"})
        }
        Kind::Cpus { .. } => json!({"anyOf": [
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "string", "pattern": "^([0-9]+(\\.[0-9]{1,3})?|[0-9]+%)$"},
        ]}),
        Kind::Time { .. } => json!({"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"}),
        Kind::Percent { .. } => json!({"type": "string", "pattern": "^[0-9]{1,3}%$"}),
        Kind::Action => json!({"enum": Action::WORDS.map(|(word, _)| word)}),
        Kind::Rates { max } => {
            let digits = max.to_string().len();
            // Where the bound is a row of nines, its length says it.
            let count = if max.to_string().bytes().all(|digit| digit == b'9') {
                format!("[1-9][0-9]{{0,{}}}", digits - 1)
            } else {
                "[1-9][0-9]*".to_owned()
            };
            let pattern = format!("^{count}/([0-9]+(ms|s|m|h|d)|s|m|h|d)$");
            let rate = json!({"type": "string", "pattern": pattern});
            json!({"anyOf": [
                {"const": "none"}, rate, {"type": "array", "items": rate, "minItems": 1, "maxItems": 4},
            ]})
        }
        // `off` and `on` are booleans to editors that speak YAML 1.1.
        Kind::Word(words) if words.contains(&"off") => {
            let mut all: Vec<Json> = words.iter().map(|word| json!(word)).collect();
            all.push(json!(false));
            if words.contains(&"on") {
                all.push(json!(true));
            }
            json!({"enum": all})
        }
        Kind::Word(words) => json!({"enum": words}),
        Kind::Words(words) => {
            json!({"type": "array", "items": {"enum": words}, "uniqueItems": true})
        }
        Kind::Text { max } => json!({"type": "string", "maxLength": max}),
        Kind::Texts { max, .. } => {
            json!({"type": "array", "items": {"type": "string"}, "maxItems": max})
        }
    };
    if let Some(value) = value.as_object_mut() {
        value.insert("description".to_owned(), json!(key.sentence()));
    }
    value
}

fn names(section: &str) -> Json {
    let list =
        |doc: &str| json!({"type": "array", "items": {"type": "string"}, "description": doc});
    json!({
        "type": "object",
        "additionalProperties": false,
        "description": format!("Which {section} are allowed; a blocked one counts as BLOCKED."),
        "properties": {
            "default": {"enum": ["allow", "block"], "description": "What holds for a name in neither list."},
            "allow": list("Patterns that are allowed."),
            "block": list("Patterns that are blocked."),
        },
    })
}

fn custom_rules() -> Json {
    json!({
        "type": "array",
        "description": "Findings of your own, by resolved name.",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["id", "level", "message"],
            "properties": {
                "id": {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"},
                "import": {"type": "string"},
                "call": {"type": "string"},
                "attribute": {"type": "string"},
                "path": {"type": "string"},
                "level": {"enum": ["LOW", "MEDIUM", "HIGH", "BLOCKED"]},
                "message": {"type": "string", "maxLength": 500},
            },
        },
    })
}

fn tests() -> Json {
    json!({
        "type": "array",
        "description": "Code with the decision that this policy should come to: `saferunctl policy test`.",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["name", "code", "expect"],
            "properties": {
                "name": {"type": "string"},
                "code": {"type": "string"},
                "expect": {"enum": ["allow", "allow-stricter", "needs-override", "refuse"]},
                "because": {"type": "string", "description": "Key of a clause that has to speak."},
                "language": {"enum": LANGUAGES},
                "gvisor": {"type": "boolean"},
                "override": {"type": "string", "description": "Reason that a person gives."},
            },
        },
    })
}
