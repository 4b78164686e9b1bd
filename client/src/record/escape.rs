//! Writes HTML: what is ours are literals, what is not is escaped. There is no third way. Pure.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_scanner::report::visible;
use sha2::{Digest, Sha256};

/// A page being written.
pub(super) struct Html {
    out: String,
}

impl Html {
    /// A page with a title and one style sheet; its content policy allows that sheet, by its hash, and nothing else.
    pub(super) fn begin(title: &'static str, of: &str, css: &'static str) -> Self {
        let mut html = Self {
            out: String::with_capacity(64 * 1024),
        };
        html.raw("<!doctype html>\n<html lang=en dir=ltr><head><meta charset=utf-8><meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'sha256-");
        html.out
            .push_str(&STANDARD.encode(Sha256::digest(css.as_bytes())));
        html.raw("'; base-uri 'none'; form-action 'none'\"><meta name=viewport content=\"width=device-width, initial-scale=1\"><meta name=referrer content=no-referrer><title>")
            .raw(title)
            .text(of)
            .raw("</title><style>")
            .raw(css)
            .raw("</style></head><body><main>\n");
        html
    }

    /// The whole page.
    pub(super) fn end(mut self) -> String {
        self.raw("</main></body></html>\n");
        self.out
    }

    /// Markup of our own.
    pub(super) fn raw(&mut self, html: &'static str) -> &mut Self {
        self.out.push_str(html);
        self
    }

    /// Text from anywhere, on one line: newlines are shown.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        text.chars().for_each(|character| self.character(character));
        self
    }

    /// A sentence from anywhere, in which what stands between backticks is code.
    pub(super) fn prose(&mut self, text: &str) -> &mut Self {
        let pieces: Vec<&str> = text.split('`').collect();
        // With an odd backtick they are no pairs.
        if pieces.len().is_multiple_of(2) {
            return self.text(text);
        }
        for (index, piece) in pieces.into_iter().enumerate() {
            if index % 2 == 1 {
                self.raw("<code>").text(piece).raw("</code>");
            } else {
                self.text(piece);
            }
        }
        self
    }

    /// Text from anywhere whose lines and tabs are kept.
    pub(super) fn code(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '\n' => self.out.push('\n'),
                '\t' => self.out.push_str("    "),
                character => self.character(character),
            }
        }
        self
    }

    fn character(&mut self, character: char) {
        match character {
            '&' => self.out.push_str("&amp;"),
            '<' => self.out.push_str("&lt;"),
            '>' => self.out.push_str("&gt;"),
            '"' => self.out.push_str("&quot;"),
            '\'' => self.out.push_str("&#39;"),
            ' '..='~' => self.out.push(character),
            character => {
                let shown = visible(character.encode_utf8(&mut [0; 4]));
                if shown.chars().eq([character]) {
                    self.out.push(character);
                } else {
                    self.out.push_str("<span class=c>");
                    self.out.push_str(&shown);
                    self.out.push_str("</span>");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> String {
        let mut html = Html { out: String::new() };
        html.code(text);
        html.out
    }

    #[test]
    fn table() {
        for (input, output) in [
            ("a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;"),
            ("1\n\t2", "1\n    2"),
            ("\u{1b}[2J", "<span class=c>\\x1b</span>[2J"),
            ("a\u{202e}b", "a<span class=c>\\u{202e}</span>b"),
            ("naïve 漢字", "naïve 漢字"),
        ] {
            assert_eq!(written(input), output);
        }
    }

    #[test]
    fn pairs_of_backticks_are_code() {
        let mut html = Html { out: String::new() };
        html.prose("`a<b` and `c`; ").prose("an odd ` one");
        assert_eq!(
            html.out,
            "<code>a&lt;b</code> and <code>c</code>; an odd ` one"
        );
    }

    proptest! {
        #[test]
        fn only_our_own_tag_is_ever_written(text in "\\PC{0,20}[<>&\"'\u{202e}\u{0}\u{feff}]{0,6}\\PC{0,20}") {
            let out = written(&text).replace("<span class=c>", "").replace("</span>", "");
            prop_assert!(!out.contains(['<', '>', '"', '\'', '\u{202e}', '\u{0}', '\u{feff}']), "{out:?}");
        }
    }
}
