//! The published JSON Schema is current, and agrees with the loader on the keys.

use std::path::PathBuf;
use std::{env, fs};

use saferun_policy::{documented_keys, preset_names, preset_text, schema};

fn published() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema/saferun-policy.schema.json")
}

/// The extension for VS Code, which ships a schema of its own: an editor has no other file of this repository.
fn extension() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vscode-extension")
}

/// The schema that the extension tells the YAML language of VS Code to use.
fn contributed() -> (PathBuf, Vec<String>) {
    let text = fs::read_to_string(extension().join("package.json")).expect("a text");
    let package: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let entry = &package["contributes"]["yamlValidation"][0];
    let url = entry["url"].as_str().expect("a path");
    let files = entry["fileMatch"].as_array().expect("a list");
    let files = files
        .iter()
        .map(|one| one.as_str().expect("a pattern").to_owned());
    (
        url.strip_prefix("./")
            .expect("a path of the extension")
            .into(),
        files.collect(),
    )
}

/// `SAFERUN_UPDATE=1 cargo nextest run -p saferun-policy` writes them.
#[test]
fn the_published_schemas_are_current() {
    let mut text = serde_json::to_string_pretty(&schema()).unwrap();
    text.push('\n');
    for path in [published(), extension().join(contributed().0)] {
        if env::var_os("SAFERUN_UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let current = fs::read_to_string(path).unwrap_or_default();
        assert!(current == text, "run the tests once with SAFERUN_UPDATE=1");
    }
}

#[test]
fn the_extension_ships_its_schema_and_names_the_files_that_hold_policies() {
    let (schema, files) = contributed();
    // What is packed is listed folder by folder, after a line that leaves everything out.
    let folder = schema.parent().unwrap().to_str().unwrap();
    let packed = fs::read_to_string(extension().join(".vscodeignore")).unwrap();
    assert!(packed.starts_with("**\n"), "{packed}");
    let line = format!("!{folder}/**");
    assert!(packed.lines().any(|one| one == line), "{line}: {packed}");
    assert_eq!(files, [".saferun.yaml", "**/saferun/policy.yaml"]);
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
