//! Which characters could fool a reader, and how they are shown instead. One answer for the terminal, the editors, pages
//! and notifications. Pure: knows nothing of who shows the text, nor of escape sequences as a whole.

use std::fmt::Write as _;

/// Whether a terminal or an editor would act on this character, or would hide, reorder or move others by it: the controls
/// of C0 and C1 (line feed and tab among them), line and paragraph separators, bidirectional controls (UAX #9),
/// interlinear annotations, and everything that is `Default_Ignorable_Code_Point` in Unicode 16: zero-width characters,
/// fillers, variation selectors, tags.
#[must_use]
pub const fn deceives(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether it only chooses the form of the character before it, or joins it with the next one, as in emoji and in
/// Persian: harmless after a character that can be so changed, and there only.
#[must_use]
pub const fn joins(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
}

/// Adds a character as a reader may see it: as it is, or as `\x1b` or `\u{202e}` where it [`deceives`].
pub fn push(out: &mut String, character: char) {
    if !deceives(character) {
        out.push(character);
        return;
    }
    let code = u32::from(character);
    // Writing to a String does not fail.
    let _ = if code < 0x100 {
        write!(out, "\\x{code:02x}")
    } else {
        write!(out, "\\u{{{code:x}}}")
    };
}

/// A text on one line in which nothing deceives: a line feed is `\n`, a tab a blank.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\t' => out.push(' '),
            character => push(&mut out, character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each group whole, by its own standard, so that none is forgotten in the table above.
    #[test]
    fn each_group_of_deceiving_characters_is_shown_as_text() {
        let groups: [(&str, &[std::ops::RangeInclusive<u32>]); 9] = [
            ("C0", &[0..=0x1f, 0x7f..=0x7f]),
            ("C1", &[0x80..=0x9f]),
            ("separators", &[0x2028..=0x2029]),
            (
                "bidi",
                &[
                    0x61c..=0x61c,
                    0x200e..=0x200f,
                    0x202a..=0x202e,
                    0x2066..=0x2069,
                ],
            ),
            (
                "zero width",
                &[
                    0x200b..=0x200d,
                    0x2060..=0x2064,
                    0xfeff..=0xfeff,
                    0xad..=0xad,
                    0x34f..=0x34f,
                    0x180e..=0x180e,
                ],
            ),
            (
                "fillers",
                &[0x115f..=0x1160, 0x3164..=0x3164, 0xffa0..=0xffa0],
            ),
            (
                "variation selectors",
                &[0xfe00..=0xfe0f, 0xe0100..=0xe01ef, 0x180b..=0x180d],
            ),
            ("tags", &[0xe0000..=0xe007f]),
            (
                "annotations",
                &[0xfff9..=0xfffb, 0x206a..=0x206f, 0x1d173..=0x1d17a],
            ),
        ];
        for (group, ranges) in groups {
            for code in ranges.iter().cloned().flatten() {
                let character = char::from_u32(code).unwrap();
                assert!(deceives(character), "{group}: {code:x}");
                let mut shown = String::new();
                push(&mut shown, character);
                assert!(
                    shown.is_ascii() && shown.starts_with('\\') && shown.len() > 3,
                    "{shown}"
                );
                assert!(shown.contains(&format!("{code:x}")), "{group}: {shown}");
            }
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in [
            "naïve",
            "漢字",
            "עברית",
            "العربية",
            "हिन्दी",
            "👩",
            "e\u{301}",
            "  ",
            "\u{a0}",
            "~",
            "→ ✓",
        ] {
            assert_eq!(one_line(text), text);
        }
        assert_eq!(
            one_line("a\nb\tc\x1b[0m\u{9b}\u{ad}\u{202e}"),
            "a\\nb c\\x1b[0m\\x9b\\xad\\u{202e}"
        );
    }

    #[test]
    fn what_joins_deceives_where_there_is_nothing_to_join() {
        for character in ['\u{200c}', '\u{200d}', '\u{fe0e}', '\u{fe0f}'] {
            assert!(joins(character) && deceives(character));
        }
        assert!(!joins('a') && !joins('\u{200b}') && !joins('\u{fe00}'));
    }

    proptest! {
        #[test]
        fn every_control_deceives_and_nothing_that_does_is_left(text in any::<String>()) {
            for character in text.chars().filter(|character| character.is_control()) {
                prop_assert!(deceives(character), "{:x}", u32::from(character));
            }
            prop_assert!(!one_line(&text).chars().any(deceives));
        }
    }
}
