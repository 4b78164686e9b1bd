//! Which colour sequences pass (SGR: ECMA-48, 8.3.117; ITU-T T.416, 13.1.8). Pure. Only what is listed passes: what one
//! terminal skips, another reads as a font, by which the Linux console takes all that comes later, whoever writes it,
//! for other characters.

use std::ops::RangeInclusive;

/// Most numbers of a sequence: the Linux console has room for so many.
const MOST: usize = 16;
/// What may stand by itself: weight, underline, blinking, inverse, strike, overline, colours, and the end of each.
const ALONE: [RangeInclusive<u16>; 11] = [
    0..=5,
    7..=7,
    9..=9,
    21..=25,
    27..=37,
    39..=47,
    49..=49,
    53..=53,
    55..=55,
    59..=59,
    90..=107,
];

/// Whether a sequence only colours, by what stands between `ESC [` and `m`.
pub(super) fn only_colours(parameters: &str) -> bool {
    let mut numbers = parameters.split([';', ':']);
    if numbers.clone().count() > MOST || !numbers.all(|text| number(text).is_some()) {
        return false;
    }
    let mut parameters = parameters.split(';');
    while let Some(parameter) = parameters.next() {
        let passes = match (parameter.split_once(':'), number(parameter)) {
            (Some((first, rest)), _) => with_parts(first, rest),
            // An underline's colour passes with colons alone: a terminal that does not know it reads on after it.
            (None, Some(38 | 48)) => colour(&mut parameters),
            (None, Some(alone)) => ALONE.iter().any(|range| range.contains(&alone)),
            (None, None) => false,
        };
        if !passes {
            return false;
        }
    }
    true
}

/// A number of at most three digits up to 255; none stands for 0.
fn number(text: &str) -> Option<u16> {
    if text.is_empty() {
        return Some(0);
    }
    let digits = text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten()?;
    (number <= 255).then_some(number)
}

/// Takes the numbers of one colour, all of them: `5;N`, or `2;R;G;B`.
fn colour<'text>(parameters: &mut impl Iterator<Item = &'text str>) -> bool {
    let count = match parameters.next().and_then(number) {
        Some(5) => 1,
        Some(2) => 3,
        _ => return false,
    };
    parameters.by_ref().take(count).filter_map(number).count() == count
}

/// A parameter with parts: a kind of underline, or a colour whose space is the usual one.
fn with_parts(first: &str, rest: &str) -> bool {
    let parts: Vec<&str> = rest.split(':').collect();
    match (number(first), &parts[..]) {
        (Some(4), [kind]) => number(kind).is_some_and(|kind| kind <= 5),
        (Some(38 | 48 | 58), ["5", _] | ["2", _, _, _] | ["2", "", _, _, _]) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn table() {
        for colours in [
            "",
            "0",
            ";",
            "1;31",
            "01;31",
            "001",
            "4:3",
            "4;58:5:9",
            "38;5;208",
            "38;5;12",
            "48;2;8;12;255",
            "1;38;2;1;2;3;48;5;8;4",
            "38:5:12",
            "38:2:8:12:10",
            "58:2::8:12:10",
            "58:5:12",
            "107",
            "7;27;29",
        ] {
            assert!(only_colours(colours), "{colours}");
        }
        for other in [
            "8",
            "08",
            "1;8",
            "6",
            "10",
            "12",
            "20",
            "26",
            "50",
            "51",
            "60",
            "75",
            "108",
            "012",
            "0012",
            "1;11",
            "58",
            "58;5;12",
            "58;5;9",
            "58;2;8;12;10",
            "4294967308",
            "65548",
            "268",
            "256",
            "38;5;256",
            "38;5;268",
            "38",
            "38;5",
            "38;12",
            "38;2;1;2",
            "38;3;12",
            "38;5;1;12",
            "38;05;1;8",
            "38:5",
            "38:12",
            "38:2:1:2:3:4:5",
            "38:2:12:1:2:3",
            "4:8",
            "4:3:12",
            "12:0",
            "0:12",
            "38;5:12",
            "38:5;12",
            "4;58:5;9",
            "1;;;;;;;;;;;;;;;;1",
            "1?",
            "+1",
        ] {
            assert!(!only_colours(other), "{other}");
        }
    }

    /// A terminal, as far as it matters here.
    #[derive(Debug, Clone, Copy)]
    struct Terminal {
        /// Whether it takes what follows 38 and 48, and what follows 58, for a colour.
        colours: bool,
        underlines: bool,
        /// Its numbers begin again from 0 here.
        wraps_at: u64,
        /// Parameters beyond these are dropped.
        room: usize,
    }

    impl Terminal {
        /// Whether it would hide text or take another font. A parameter with parts is its first number and no more.
        fn is_fooled(self, parameters: &str) -> bool {
            let digit =
                |value: u64, digit: u8| (value * 10 + u64::from(digit - b'0')) % self.wraps_at;
            let texts: Vec<&str> = parameters.split(';').take(self.room).collect();
            let number = |text: &&str| text.split(':').next().unwrap().bytes().fold(0, digit);
            let mut at = 0;
            while let Some(text) = texts.get(at) {
                let next = texts.get(at + 1).filter(|_| !text.contains(':'));
                at += match (number(text), next.map(number)) {
                    (8 | 10..=20, _) => return true,
                    (38 | 48, Some(5)) if self.colours => 3,
                    (38 | 48, Some(2)) if self.colours => 5,
                    (58, Some(5)) if self.underlines => 3,
                    (58, Some(2)) if self.underlines => 5,
                    _ => 1,
                };
            }
            false
        }
    }

    fn parameters() -> impl Strategy<Value = String> {
        let number = prop_oneof![
            prop::sample::select(vec![
                "", "0", "1", "2", "4", "5", "8", "12", "31", "38", "48", "58", "012"
            ]),
            prop::sample::select(vec![
                "65548",
                "4294967304",
                "4294967308",
                "268",
                "255",
                "99"
            ]),
        ];
        let piece = (number, prop::sample::select(vec![";", ";", ";", ":"]));
        let last = "[0-9]{0,4}";
        (prop::collection::vec(piece, 0..8), last).prop_map(|(pieces, last)| {
            let pieces: String = pieces
                .iter()
                .flat_map(|(number, end)| [*number, *end])
                .collect();
            pieces + &last
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn what_passes_fools_no_terminal(parameters in parameters(), underlines: bool, long: bool, small: bool) {
            let terminal = Terminal {
                colours: true,
                underlines,
                wraps_at: 1 << if long { 32 } else { 16 },
                room: if small { 16 } else { 32 },
            };
            prop_assert!(!only_colours(&parameters) || !terminal.is_fooled(&parameters), "{parameters} {terminal:?}");
        }
    }

    #[test]
    fn the_terminal_of_the_law_is_fooled_by_what_has_to_be_stopped() {
        let old = Terminal {
            colours: true,
            underlines: false,
            wraps_at: 1 << 32,
            room: 16,
        };
        for fooling in ["12", "58;5;12", "4294967308", "1;8"] {
            assert!(old.is_fooled(fooling), "{fooling}");
        }
        for colour in ["38;5;12", "48;2;8;12;8", "58:5:12"] {
            assert!(!old.is_fooled(colour), "{colour}");
        }
    }
}
