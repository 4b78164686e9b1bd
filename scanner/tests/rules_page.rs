//! docs/rules.md, where the code of each diagnostic in an editor leads, says what the catalogue says.
//! `SAFERUN_UPDATE=1 cargo test -p saferun-scanner --test rules_page` writes it.

use std::{fmt::Write as _, fs, path::Path};

use saferun_scanner::{Rule, RuleDoc, explained_rules};

fn page() -> String {
    let mut page = String::from(
        "# Rules of the scanner\n\n\
         Generated from the catalogue: do not edit it by hand. `saferunctl explain RULE` says the same offline.\n\n\
         | rule | level | name |\n|---|---|---|\n",
    );
    for rule in explained_rules() {
        let _ = writeln!(
            page,
            "| [{}](#{}) | {} | {} |",
            rule.id,
            anchor(rule),
            rule.level,
            rule.name
        );
    }
    for rule in explained_rules() {
        // The page has one title, and each rule its sections below its own heading.
        let text = RuleDoc { rule }
            .markdown()
            .replace("\n## ", "\n### ")
            .replacen("# ", "## ", 1);
        let _ = write!(page, "\n{text}");
    }
    page
}

#[test]
fn the_page_of_the_rules_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
    let wanted = page();
    if std::env::var_os("SAFERUN_UPDATE").is_some() {
        fs::write(&path, &wanted).expect("the page is written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/rules.md is out of date: SAFERUN_UPDATE=1 cargo test -p saferun-scanner --test rules_page writes it"
    );
}

/// The anchor that a heading gets from GitHub and other readers of Markdown.
fn anchor(rule: &Rule) -> String {
    format!("{}-{}", rule.id.to_lowercase(), rule.name)
}

#[test]
fn each_rule_has_one_heading_with_the_anchor_that_editors_link_to() {
    let page = page();
    for rule in explained_rules() {
        let heading = format!("\n## {} {}\n", rule.id, rule.name);
        assert_eq!(page.matches(&heading).count(), 1, "{}", rule.id);
        let slug = heading.trim().trim_start_matches("## ").to_lowercase();
        assert_eq!(slug.replace(' ', "-"), anchor(rule));
    }
}
