//! The published JSON Schema is current, and agrees with the loader on the keys.

use std::path::PathBuf;
use std::{env, fs};

use saferun_policy::{documented_keys, preset_names, preset_text, schema};

fn published() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema/saferun-policy.schema.json")
}

/// `SAFERUN_UPDATE=1 cargo nextest run -p saferun-policy` writes it.
#[test]
fn the_published_schema_is_current() {
    let mut text = serde_json::to_string_pretty(&schema()).unwrap();
    text.push('\n');
    if env::var_os("SAFERUN_UPDATE").is_some() {
        fs::create_dir_all(published().parent().unwrap()).unwrap();
        fs::write(published(), &text).unwrap();
    }
    let current = fs::read_to_string(published()).unwrap_or_default();
    assert!(current == text, "run the tests once with SAFERUN_UPDATE=1");
}

#[test]
fn every_key_stands_in_the_schema_with_its_sentence() {
    let schema = serde_json::to_value(schema()).unwrap();
    for (path, doc) in documented_keys() {
        let mut node = &schema;
        for part in path.split('.') {
            // A limit is either a value or an object with both halves; the object comes second.
            let object = node.pointer("/anyOf/1").unwrap_or(node);
            node = &object["properties"][part];
        }
        assert_eq!(node["description"], doc, "{path}");
    }
}

/// The presets use every construct of the language but a few; a plain reader of the schema accepts their keys.
#[test]
fn the_schema_knows_the_keys_of_every_preset() {
    let schema = serde_json::to_value(schema()).unwrap();
    for name in preset_names() {
        let text = preset_text(name).unwrap();
        for line in text
            .lines()
            .filter(|line| !line.starts_with([' ', '#', '-']) && line.contains(':'))
        {
            let key = line.split(':').next().unwrap();
            assert!(!schema["properties"][key].is_null(), "{name}: {key}");
        }
    }
}
