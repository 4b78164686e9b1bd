//! The language reference: every YAML block of it loads, its tests pass or fail as written, its table is current.

use std::path::PathBuf;
use std::{env, fs};

use saferun_policy::{Diagnostics, LayerKind, Source, check, key_table};

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/policy.md")
}

#[test]
fn every_block_of_the_page_loads() {
    let text = fs::read_to_string(page()).unwrap();
    let mut blocks = 0;
    for (index, part) in text.split("```yaml\n").enumerate().skip(1) {
        let block = part.split("```").next().unwrap();
        let line = text
            .split("```yaml\n")
            .take(index)
            .map(|part| part.matches('\n').count() + 1)
            .sum::<usize>()
            + 1;
        let project = block.starts_with("# .saferun.yaml");
        let layer = if project {
            LayerKind::Project
        } else {
            LayerKind::User
        };
        let source = Source::yaml(
            layer,
            format!("docs/policy.md (block at line {line})"),
            block,
        );
        // The page says itself on which keys nothing acts yet.
        let mut found = check(&source);
        found.retain(|one| one.code != "not-in-force");
        assert!(found.is_empty(), "{}", Diagnostics(found));
        blocks += 1;
    }
    assert!(blocks >= 12, "{blocks} blocks");
}

#[test]
fn the_table_of_keys_is_current() {
    const BEGIN: &str = "SAFERUN_UPDATE=1 -->\n";
    const END: &str = "<!-- /keys -->";
    let text = fs::read_to_string(page()).unwrap();
    let (head, rest) = text.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    let wanted = format!("{head}{BEGIN}{}{END}{tail}", key_table());
    if env::var_os("SAFERUN_UPDATE").is_some() {
        fs::write(page(), &wanted).unwrap();
    }
    assert!(
        fs::read_to_string(page()).unwrap() == wanted,
        "run the tests once with SAFERUN_UPDATE=1"
    );
}
