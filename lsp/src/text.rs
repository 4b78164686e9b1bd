//! Makes text of untrusted code harmless before an editor shows it: as Markdown, as a message, as a program's output.
//! Pure.

use saferun_text::push;

/// Longest text of one message, in characters.
const LONGEST: usize = 2_000;

/// Text in which nothing is Markdown or HTML any more, on one line.
pub(crate) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for character in plain(text).chars() {
        match character {
            '\n' | '\t' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A link that a client would make by itself of a bare address.
            ':' => out.push_str("&#58;"),
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '-' | '.'
            | '!' | '|' | '~' | '$' | '"' => {
                out.push('\\');
                out.push(character);
            }
            _ => out.push(character),
        }
    }
    out
}

/// Text without anything that steers a terminal or reorders a line; bounded. Newlines and tabs stay.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LONGEST * 4));
    for (count, character) in text.chars().enumerate() {
        if count == LONGEST {
            out.push('…');
            break;
        }
        show(character, &mut out);
    }
    out
}

/// The same on one line.
pub(crate) fn one_line(text: &str) -> String {
    plain(text).replace(['\n', '\t'], " ")
}

/// One line for a message box. Some editors make links of Markdown in it, also such as run commands of theirs.
pub(crate) fn message(text: &str) -> String {
    one_line(text).replace("](", "] (")
}

/// All strings of an account, each of any length; what steers a terminal or reorders a line is shown instead.
pub(crate) fn harmless(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::String(text) if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => {
            let mut shown = String::with_capacity(text.len());
            text.chars()
                .for_each(|character| show(character, &mut shown));
            *text = shown;
        }
        // As deep as our own types are: nothing in here was parsed from what a program wrote.
        Value::Array(items) => items.iter_mut().for_each(harmless),
        Value::Object(fields) => fields.values_mut().for_each(harmless),
        _ => {}
    }
}

/// A program's output as an editor's view may show it, of any length; a carriage return becomes a newline, so that
/// nothing that was shown is overwritten. Colours are dropped.
pub(crate) fn output(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            '\u{1b}' if skip_colour(&mut rest) => {}
            _ => show(character, &mut out),
        }
    }
    out
}

/// Takes the rest of a colour sequence; false, and nothing taken, where it is none.
fn skip_colour(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let mut ahead = rest.clone();
    if ahead.next() != Some('[') {
        return false;
    }
    for length in 0..48 {
        match ahead.next() {
            Some(character) if character.is_ascii_digit() || matches!(character, ';' | ':') => {}
            Some('m') => {
                for _ in 0..length + 2 {
                    rest.next();
                }
                return true;
            }
            _ => return false,
        }
    }
    false
}

fn show(character: char, out: &mut String) {
    match character {
        '\n' | '\t' => out.push(character),
        character => push(out, character),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_of_the_code_becomes_a_link_an_image_or_html() {
        let hostile = "![x](http://evil.example/p.png) <img src=x> [run](command:saferun.run) `a` https://e.x";
        let shown = markdown(hostile);
        for part in ["](", "<img", "![", "command:", "https:"] {
            assert!(!shown.contains(part), "{part} in {shown}");
        }
        assert_eq!(markdown("a\nb"), "a b");
    }

    #[test]
    fn output_keeps_lines_and_drops_what_steers() {
        assert_eq!(output("a\r\nb\rc"), "a\nb\nc");
        assert_eq!(output("\u{1b}[31mred\u{1b}[0m"), "red");
        assert_eq!(output("\u{1b}]52;c;x\u{7}"), "\\x1b]52;c;x\\x07");
        assert_eq!(output("\u{202e}abc"), "\\u{202e}abc");
        assert_eq!(
            output("a\u{e0041}\u{fe01}\u{ad}"),
            "a\\u{e0041}\\u{fe01}\\xad"
        );
    }

    #[test]
    fn a_message_has_no_link_and_an_account_no_steering() {
        let shown = message("[run](command:saferun.x)\n\u{1b}[2J");
        assert_eq!(shown, "[run] (command:saferun.x) \\x1b[2J");
        let mut account =
            serde_json::json!({"a": ["\u{202e}x", 3], "b": {"path": "p\u{1b}", "plain": "é"}});
        harmless(&mut account);
        let want =
            serde_json::json!({"a": ["\\u{202e}x", 3], "b": {"path": "p\\x1b", "plain": "é"}});
        assert_eq!(account, want);
    }

    proptest! {
        #[test]
        fn no_control_character_is_left(text in any::<String>()) {
            for shown in [output(&text), plain(&text)] {
                prop_assert!(shown.chars().all(|c| c == '\n' || c == '\t' || !saferun_text::deceives(c)));
            }
        }
    }
}
