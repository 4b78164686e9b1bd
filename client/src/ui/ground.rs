//! Which colours text stands in, so that none is printed in the colour of its own ground, where nobody sees it. Pure. What
//! the terminal's own two colours are is not known: text in one of them passes.

/// Least difference of two colours, in one of red, green and blue, at which one is seen on the other.
const SEEN: u8 = 16;
/// The first sixteen, as xterm has them; a terminal may choose others.
const BASIC: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

/// Colour of the text, colour of the ground, weight; no colour where it is the terminal's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ground {
    text: Option<[u8; 3]>,
    /// Number of the text's colour where it is of the first eight: bold ones are brighter on some terminals.
    basic: Option<u8>,
    behind: Option<[u8; 3]>,
    bold: bool,
}

impl Ground {
    /// After a colour sequence (what stands between `ESC [` and `m`, one that passes).
    pub(super) fn after(mut self, parameters: &str) -> Self {
        let mut numbers = parameters.split(';');
        while let Some(parameter) = numbers.next() {
            if let Some((first, rest)) = parameter.split_once(':') {
                // Parts: a colour's space, usually empty, stands before red, green and blue.
                let parts: Vec<u8> = rest.split(':').map(number).collect();
                let colour = match parts[..] {
                    [5, index] => Some(indexed(index)),
                    [2, red, green, blue] | [2, _, red, green, blue] => Some([red, green, blue]),
                    _ => None,
                };
                self.set(number(first), colour);
                continue;
            }
            match number(parameter) {
                0 => self = Self::default(),
                1 => self.bold = true,
                21 | 22 => self.bold = false,
                which @ (38 | 48) => {
                    let mut next = || numbers.next().map_or(0, number);
                    let colour = match next() {
                        5 => indexed(next()),
                        _ => [next(), next(), next()],
                    };
                    self.set(which, Some(colour));
                }
                code @ (30..=37 | 90..=97) => {
                    let index = if code < 90 { code - 30 } else { code - 82 };
                    self.set(38, Some(indexed(index)));
                    self.basic = (index < 8).then_some(index);
                }
                code @ 40..=47 => self.set(48, Some(indexed(code - 40))),
                code @ 100..=107 => self.set(48, Some(indexed(code - 92))),
                39 => self.set(38, None),
                49 => self.set(48, None),
                _ => {}
            }
        }
        self
    }

    fn set(&mut self, which: u8, colour: Option<[u8; 3]>) {
        match which {
            38 => (self.text, self.basic) = (colour, None),
            48 => self.behind = colour,
            _ => {}
        }
    }

    /// Whether text that is printed now cannot be seen.
    pub(super) fn hides(self) -> bool {
        let (Some(text), Some(behind)) = (self.text, self.behind) else {
            return false;
        };
        let brighter = self.basic.filter(|_| self.bold);
        let brighter = brighter.map(|basic| indexed(basic + 8));
        [Some(text), brighter]
            .into_iter()
            .flatten()
            .any(|text| (0..3).all(|part| text[part].abs_diff(behind[part]) < SEEN))
    }
}

/// A number that is known to fit; none stands for 0.
fn number(text: &str) -> u8 {
    text.parse().unwrap_or(0)
}

/// One of 256: the basic ones, a cube of six steps, greys.
fn indexed(index: u8) -> [u8; 3] {
    let step = |level: u8| if level == 0 { 0 } else { 55 + 40 * level };
    match index {
        0..=15 => BASIC[usize::from(index)],
        16..=231 => {
            let index = index - 16;
            [step(index / 36), step(index / 6 % 6), step(index % 6)]
        }
        232.. => [8 + 10 * (index - 232); 3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_on_its_ground() {
        for hidden in [
            "30;40",
            "37;47",
            "97;107",
            "1;31;41",
            "1;30;100",
            "38;5;16;40",
            "38;5;196;48;2;255;0;0",
            "38;2;9;9;9;48;2;9;9;9",
            "38;2;9;9;9;48;2;10;8;9",
            "38:5:7;47",
            "38:2::1:2:3;48:2:1:2:3",
            "7;32;42",
            "38;5;232;48;5;233",
            ";30;40",
        ] {
            assert!(Ground::default().after(hidden).hides(), "{hidden}");
        }
        for seen in [
            "",
            "30",
            "40",
            "30;47",
            "31;40",
            "30;40;0",
            "30;40;39",
            "30;40;49",
            "30;40;",
            "30;40;37",
            "30;100",
            "1;22;30;100",
            "38;5;30;40",
            "38;2;30;40;30;44",
            "58:5:0;40",
            "38;5;232;48;5;236",
            "7",
        ] {
            assert!(!Ground::default().after(seen).hides(), "{seen}");
        }
    }

    #[test]
    fn colours_last_from_one_sequence_to_the_next() {
        let text = Ground::default().after("30");
        assert!(!text.hides() && text.after("40").hides());
        assert!(!text.after("0").after("40").hides());
        assert!(text.after("1").after("100").hides());
    }

    #[test]
    fn all_256_have_a_colour_as_xterm_has_it() {
        assert_eq!(indexed(16), [0, 0, 0]);
        assert_eq!(indexed(208), [255, 135, 0]);
        assert_eq!(indexed(231), [255; 3]);
        assert_eq!(indexed(255), [238; 3]);
        for index in 0..=255 {
            assert!(
                Ground::default()
                    .after(&format!("38;5;{index};48;5;{index}"))
                    .hides()
            );
        }
    }
}
