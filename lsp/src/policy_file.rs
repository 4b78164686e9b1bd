//! Completion and hover in policy files, from what the policy loader knows of its keys. Pure.

use saferun_policy::{key_at, key_info, keys_below};
use tower_lsp_server::ls_types::{
    CompletionItem, CompletionItemKind, Documentation, Hover, HoverContents, MarkupContent,
    MarkupKind, Position,
};

use crate::{
    position::{Encoding, LineIndex},
    text::markdown,
};

/// What the key under the cursor means.
pub(crate) fn hover(text: &str, position: Position, encoding: Encoding) -> Option<Hover> {
    let index = LineIndex::new(text);
    let offset = index.offset(text, position, encoding);
    let before = &text[index.start(text, position.line)..offset];
    let column = u32::try_from(before.chars().count())
        .ok()?
        .saturating_add(1);
    let path = key_at(text, position.line.saturating_add(1), column)?;
    let info = key_info(&path)?;
    let mut value = format!("**{}**\n\n{}", markdown(&info.path), info.doc);
    if !info.words.is_empty() {
        value.push_str("\n\nOne of: ");
        value.push_str(&info.words.join(", "));
    }
    if !info.allowed_in_project {
        value.push_str("\n\nNot allowed in a project's file.");
    }
    Some(Hover {
        contents: HoverContents::Markup(MarkupContent {
            kind: MarkupKind::Markdown,
            value,
        }),
        range: None,
    })
}

/// Keys that may stand here, or words that the key on this line takes.
pub(crate) fn complete(
    text: &str,
    position: Position,
    encoding: Encoding,
    project: bool,
) -> Vec<CompletionItem> {
    let index = LineIndex::new(text);
    let offset = index.offset(text, position, encoding);
    let before = &text[index.start(text, position.line)..offset];
    let above = parents(text, &index, position.line, indent(before));
    match before.split_once(':') {
        Some((key, _)) => {
            let path = join(&above, key.trim());
            let words = key_info(&path).map(|info| info.words).unwrap_or_default();
            words
                .into_iter()
                .map(|word| CompletionItem {
                    label: word,
                    kind: Some(CompletionItemKind::ENUM_MEMBER),
                    ..CompletionItem::default()
                })
                .collect()
        }
        None => keys_below(&above)
            .into_iter()
            .filter_map(|key| item(&join(&above, key), key, project))
            .collect(),
    }
}

fn item(path: &str, key: &str, project: bool) -> Option<CompletionItem> {
    let info = key_info(path);
    if project && info.as_ref().is_some_and(|info| !info.allowed_in_project) {
        return None;
    }
    let section = !keys_below(path).is_empty();
    Some(CompletionItem {
        label: key.to_owned(),
        kind: Some(if section {
            CompletionItemKind::MODULE
        } else {
            CompletionItemKind::PROPERTY
        }),
        documentation: info.map(|info| Documentation::String(info.doc)),
        insert_text: Some(format!("{key}:{}", if section { "" } else { " " })),
        ..CompletionItem::default()
    })
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The dotted path of the sections that a line with this indentation stands in. Works on text that does not parse.
fn parents(text: &str, index: &LineIndex, line: u32, mut indentation: usize) -> String {
    let mut path: Vec<&str> = Vec::new();
    for above in (0..line).rev() {
        if indentation == 0 {
            break;
        }
        let content = index.line(text, above);
        let trimmed = content.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') || indent(content) >= indentation {
            continue;
        }
        let Some((key, _)) = trimmed.split_once(':') else {
            break;
        };
        indentation = indent(content);
        path.push(key.trim());
    }
    path.reverse();
    path.join(".")
}

fn join(above: &str, key: &str) -> String {
    if above.is_empty() {
        key.to_owned()
    } else {
        format!("{above}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str, line: u32, character: u32, project: bool) -> Vec<String> {
        let at = Position { line, character };
        complete(text, at, Encoding::Utf16, project)
            .into_iter()
            .map(|item| item.label)
            .collect()
    }

    #[test]
    fn keys_and_words_are_offered_where_they_may_stand() {
        assert!(labels("", 0, 0, true).contains(&"limits".to_owned()));
        assert_eq!(
            labels("limits:\n  memory:\n    ", 2, 4, true),
            ["default", "max"]
        );
        assert!(labels("levels:\n  HIGH: ", 1, 8, true).contains(&"refuse".to_owned()));
    }

    #[test]
    fn what_a_project_may_not_say_is_not_offered_to_it() {
        assert!(!labels("alerts:\n  ", 1, 2, true).contains(&"command".to_owned()));
        assert!(labels("alerts:\n  ", 1, 2, false).contains(&"command".to_owned()));
    }

    #[test]
    fn hover_tells_what_a_key_means() {
        let at = Position {
            line: 1,
            character: 3,
        };
        let text = "version: 1\nlevels:\n  HIGH: refuse\n";
        let at_high = Position { line: 2, ..at };
        assert!(hover(text, at_high, Encoding::Utf16).is_some());
        assert!(hover("a: [", at, Encoding::Utf16).is_none());
    }
}
