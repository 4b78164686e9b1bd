//! What the language has and nothing acts on yet: read, merged and shown, but a line that sets it is told so. Whoever
//! builds the part takes its line out of the list.

use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::layer::Layer;
use crate::yaml::Span;

/// Keys on which nothing acts, with the reason.
const KEYS: &[(&str, &str)] = &[];
/// The language that runs.
const LANGUAGE: &str = "python";

/// Why nothing acts on a key, if nothing does.
pub(crate) fn dormant(path: &str) -> Option<&'static str> {
    KEYS.iter()
        .find(|(key, _)| *key == path)
        .map(|(_, why)| *why)
}

/// A warning for each thing that a layer sets in vain; of the halves of a limit one is told.
pub(crate) fn warnings(layer: &Layer) -> Vec<Diagnostic> {
    let place = Place {
        layer: layer.kind,
        file: &layer.file,
        text: &layer.text,
    };
    let warn = |message: String, span| {
        Diagnostic::new(
            Severity::Warning,
            "not-in-force",
            message,
            None,
            &place,
            span,
        )
    };
    let mut found: Vec<Diagnostic> = Vec::new();
    for (path, set) in &layer.values {
        let key = path.trim_end_matches(".default").trim_end_matches(".max");
        if let Some(why) = dormant(path) {
            found.push(warn(
                format!("nothing acts on `{key}` yet: {why}"),
                set.span,
            ));
        }
    }
    let entries = layer
        .entries
        .iter()
        .map(|line| (line.language, &line.origin));
    let fallbacks = layer
        .fallbacks
        .iter()
        .map(|line| (line.language, &line.origin));
    for (language, origin) in entries.chain(fallbacks) {
        if let Some(language) = language.filter(|language| *language != LANGUAGE) {
            let span = Span {
                line: origin.line,
                column: origin.column,
                ..Span::default()
            };
            let message =
                format!("nothing acts on `languages.{language}` yet: all that runs is Python");
            found.push(warn(message, span));
        }
    }
    found.dedup_by(|later, earlier| later.message == earlier.message);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LayerKind, Source, check};

    #[test]
    fn each_of_them_is_a_key() {
        for (path, _) in KEYS {
            assert!(crate::keys::find(path).is_some(), "{path}");
        }
    }

    #[test]
    fn what_is_set_in_vain_is_told_once_with_its_line() {
        let text = "version: 1\nlimits: {time: 5s}\nwatch:\n  on_finding: {HIGH: [show, quarantine], LOW: [show]}\n\
                    languages:\n  shell:\n    calls: {block: [rm, curl]}\n  python:\n    calls: {block: [eval]}\n";
        let found = check(&Source::yaml(LayerKind::User, "u", text));
        let told: Vec<_> = found
            .iter()
            .map(|one| (one.origin.line, one.message.as_str()))
            .collect();
        assert_eq!(
            told,
            [(
                7,
                "nothing acts on `languages.shell` yet: all that runs is Python"
            )]
        );
        for (path, _) in KEYS {
            let base = crate::load::preset_merge("default");
            let value = base.values[path].value.to_string();
            let setting = Source::flag("--set", path, &value);
            let trusted =
                crate::keys::find(path).is_some_and(|key| key.scope == crate::keys::Scope::Any);
            let found = check(&setting);
            assert!(
                !trusted || found.iter().any(|one| one.code == "not-in-force"),
                "{path}: {found:?}"
            );
        }
    }
}
