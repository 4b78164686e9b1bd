//! What a script needs: by its PEP 723 header, and by the error that ended it. Hostile text.

use crate::names::{MAX_NAME, normalise};

/// Most names taken from one script.
const MAX_NAMES: usize = 64;

/// Furthest that the header is looked for, in bytes.
const HEADER: usize = 64 * 1024;

/// The top-level module of a dotted name, if it is a plain identifier.
#[must_use]
pub fn top_level(name: &str) -> Option<&str> {
    let first = name.split('.').next()?;
    let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_');
    (!first.is_empty() && first.len() <= MAX_NAME && plain(first)).then_some(first)
}

/// Names of the projects that the script's inline metadata asks for (PEP 723, `dependencies`), in
/// normal form, without versions and extras. At most 64, from the first 64 KiB.
#[must_use]
pub fn declared(source: &str) -> Vec<String> {
    let mut end = source.len().min(HEADER);
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    let mut lines = source[..end].lines();
    if !lines.any(|line| line.trim_end() == "# /// script") {
        return Vec::new();
    }
    let mut body = String::new();
    let mut closed = false;
    for line in lines {
        let line = line.trim_end();
        if line == "# ///" {
            closed = true;
            break;
        }
        let Some(text) = line.strip_prefix('#') else {
            break;
        };
        body.push_str(text.strip_prefix(' ').unwrap_or(text));
        body.push('\n');
    }
    if !closed {
        return Vec::new();
    }
    dependencies(&body)
}

/// Strings of the array `dependencies`: the one key of the TOML that matters here.
fn dependencies(body: &str) -> Vec<String> {
    let start = body.lines().scan(0, |at, line| {
        let here = *at;
        *at += line.len() + 1;
        Some((here, line))
    });
    let array = start
        .take_while(|(_, line)| !line.starts_with('['))
        .find_map(|(at, line)| {
            let rest = line.trim_start().strip_prefix("dependencies")?;
            rest.trim_start().strip_prefix('=')?;
            Some(&body[at..])
        })
        .and_then(|text| text.split_once('['));
    let Some((_, mut rest)) = array else {
        return Vec::new();
    };
    let mut names = Vec::new();
    while names.len() < MAX_NAMES {
        let Some(at) = rest.find(['"', '\'', ']', '#']) else {
            break;
        };
        let (mark, after) = (rest.as_bytes()[at], &rest[at + 1..]);
        match mark {
            b']' => break,
            b'#' => rest = after.split_once('\n').map_or("", |(_, next)| next),
            quote => {
                let Some((text, next)) = after.split_once(char::from(quote)) else {
                    break;
                };
                names.extend(project(text));
                rest = next;
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// The project's name at the start of a requirement.
fn project(requirement: &str) -> Option<String> {
    let text = requirement.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(text.len());
    let name = &text[..end];
    (!name.is_empty() && name.len() <= MAX_NAME).then(|| normalise(name))
}

/// The module that a traceback's last line misses: `ModuleNotFoundError: No module named 'x.y'`.
/// Only the top-level name, and only if it is a plain identifier: the program wrote this text.
#[must_use]
pub fn missing_module(stderr: &str) -> Option<&str> {
    let last = stderr.lines().rev().find(|line| !line.trim().is_empty())?;
    let rest = last.strip_prefix("ModuleNotFoundError: No module named '")?;
    top_level(rest.split('\'').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read() {
        let source = "#!/usr/bin/env python3\n# /// script\n# requires-python = \">=3.11\"\n\
            # dependencies = [\n#   \"requests<3\", # the web\n#   'Rich_Text[all]>=1 ; python_version > \"3\"',\n# ]\n# ///\nimport x\n";
        assert_eq!(declared(source), ["requests", "rich-text"]);
        assert_eq!(
            declared("# /// script\n# dependencies = []\n# ///\n"),
            [""; 0]
        );
    }

    #[test]
    fn broken_headers_ask_for_nothing() {
        for source in [
            "",
            "import x",
            "# /// script\n# dependencies = [\"a\"]\n",
            "# /// script\n# dependencies = [\"a\n# ///\n",
            "# /// script\n# [tool.x]\n# dependencies = [\"a\"]\n# ///\n",
            "# /// script\nprint()\n# ///\n",
        ] {
            assert_eq!(declared(source), [""; 0], "{source}");
        }
        let many: Vec<String> = (0..500).map(|n| format!("'p{n}'")).collect();
        let many = many.join(",");
        let source = format!("# /// script\n# dependencies = [{many}]\n# ///\n");
        assert_eq!(declared(&source).len(), 64);
    }

    #[test]
    fn the_last_line_tells_what_is_missing() {
        let traceback = "Traceback (most recent call last):\n  File \"a.py\"\nModuleNotFoundError: No module named 'a_b.c'\n\n";
        assert_eq!(missing_module(traceback), Some("a_b"));
        for text in [
            "",
            "ModuleNotFoundError: No module named '\u{1b}[31mx'",
            "ModuleNotFoundError: No module named ''",
            "ModuleNotFoundError: No module named 'x'\nlater",
            "note: ModuleNotFoundError: No module named 'x'",
        ] {
            assert_eq!(missing_module(text), None, "{text}");
        }
    }
}
