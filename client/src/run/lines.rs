//! A text before and after, line by line: how one becomes the other, within bounds on lines and time, for both may be
//! made to be hard to compare. Pure but for the clock.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    ops::Range,
    time::{Duration, Instant},
};

use similar::{DiffOp, DiffTag, TextDiff, group_diff_ops};

use crate::ui::one_line;

/// Lines of context around a change.
const CONTEXT: usize = 3;
/// Most lines of each side: what nobody reads need not be compared line by line.
const MOST: usize = 20_000;
/// Longest time for one comparison. Myers' algorithm takes the product of both lengths where nothing is alike.
const PATIENCE: Duration = Duration::from_secs(2);

/// Two texts, compared.
#[derive(Debug)]
pub(crate) struct Lines {
    old: Vec<String>,
    new: Vec<String>,
    ops: Vec<DiffOp>,
}

impl Lines {
    /// Compares; `None` for texts with too many lines, or that differ too much to be compared within 2 s or before `until`,
    /// where there is one.
    pub(crate) fn compare(before: &str, after: &str, until: Option<Instant>) -> Option<Self> {
        if count(before).max(count(after)) >= MOST {
            return None;
        }
        let latest = Instant::now() + PATIENCE;
        let until = until.map_or(latest, |until| until.min(latest));
        let diff = TextDiff::configure()
            .deadline(until)
            .diff_lines(before, after);
        // After the deadline the rest is one large change: hunks would be numbered otherwise the next time.
        if Instant::now() >= until {
            return None;
        }
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        Some(Self {
            old: owned(diff.old_slices()),
            new: owned(diff.new_slices()),
            ops: diff.ops().to_vec(),
        })
    }

    /// The hunks of a unified diff, in order.
    pub(crate) fn hunks(&self) -> Vec<Vec<DiffOp>> {
        group_diff_ops(self.ops.clone(), CONTEXT)
    }

    /// A hunk as a unified diff has it, each line made harmless.
    pub(crate) fn shown(&self, hunk: &[DiffOp]) -> String {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
            return String::new();
        };
        let old = span(first.old_range().start..last.old_range().end);
        let new = span(first.new_range().start..last.new_range().end);
        let mut out = format!("@@ -{old} +{new} @@\n");
        for op in hunk {
            if op.tag() == DiffTag::Equal {
                lines(' ', &self.old[op.old_range()], &mut out);
                continue;
            }
            lines('-', &self.old[op.old_range()], &mut out);
            lines('+', &self.new[op.new_range()], &mut out);
        }
        out
    }

    /// The text with the chosen hunks only; they are counted from 1.
    pub(crate) fn applied(&self, chosen: &BTreeSet<usize>) -> String {
        let hunks = (1..).zip(self.hunks());
        let wanted: BTreeSet<(usize, usize)> = hunks
            .filter(|(number, _)| chosen.contains(number))
            .flat_map(|(_, ops)| ops)
            .filter(|op| op.tag() != DiffTag::Equal)
            .map(|op| (op.old_range().start, op.new_range().start))
            .collect();
        let mut out = String::new();
        for op in &self.ops {
            let place = (op.old_range().start, op.new_range().start);
            let lines = if op.tag() != DiffTag::Equal && wanted.contains(&place) {
                &self.new[op.new_range()]
            } else {
                &self.old[op.old_range()]
            };
            out.extend(lines.iter().map(String::as_str));
        }
        out
    }
}

/// Ends of lines, of each of the three kinds.
fn count(text: &str) -> usize {
    let bytes = text.as_bytes();
    let after = bytes.iter().skip(1).map(Some).chain([None]);
    let ends = bytes.iter().zip(after);
    ends.filter(|(byte, next)| **byte == b'\n' || **byte == b'\r' && *next != Some(&b'\n'))
        .count()
}

/// First line and number of lines, as a hunk's head has them; an empty range names the line before it.
fn span(range: Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        count => format!("{},{count}", range.start + 1),
    }
}

fn lines(mark: char, lines: &[String], out: &mut String) {
    for line in lines {
        let text = harmless(line.strip_suffix('\n').unwrap_or(line));
        // Writing to a String does not fail.
        let _ = writeln!(out, "{mark}{text}");
        if !line.ends_with(['\n', '\r']) {
            out.push_str("\\ No newline at end of file\n");
        }
    }
}

/// One line of a file; tabs stay, for they are what a patch needs.
fn harmless(line: &str) -> String {
    let parts: Vec<String> = line.split('\t').map(one_line).collect();
    parts.join("\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(count: usize, mark: &str) -> String {
        let lines: Vec<String> = (0..count).map(|line| format!("{mark}{line}\n")).collect();
        lines.concat()
    }

    #[test]
    fn hunks_read_as_a_unified_diff_does_and_are_taken_one_by_one() {
        let before = numbered(30, "");
        let after = before.replace("\n5\n", "\nfive\n").replace("\n25\n", "\n");
        let lines = Lines::compare(&before, &after, None).unwrap();
        let [first, second] = &lines.hunks()[..] else {
            panic!("{:?}", lines.hunks())
        };
        assert_eq!(
            lines.shown(first),
            "@@ -3,7 +3,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
        );
        assert_eq!(
            lines.shown(second),
            "@@ -23,7 +23,6 @@\n 22\n 23\n 24\n-25\n 26\n 27\n 28\n"
        );
        assert_eq!(lines.applied(&BTreeSet::new()), before);
        assert_eq!(lines.applied(&BTreeSet::from([1, 2])), after);
        let one = lines.applied(&BTreeSet::from([2]));
        assert!(one.contains("\n5\n") && !one.contains("\n25\n"));
    }

    #[test]
    fn each_end_of_a_line_counts_once() {
        for (text, lines) in [
            ("", 0),
            ("a", 0),
            ("a\r\nb\r\n", 2),
            ("\r\r\n\n\r", 4),
            ("\n\r", 2),
        ] {
            assert_eq!(count(text), lines, "{text:?}");
        }
        let before = "line\r\n".repeat(MOST - 1);
        let lines = Lines::compare(&before, &(before.clone() + "more\r\n"), None);
        assert!(lines.is_none(), "as many as are too many");
        let after = before.replacen("line", "other", 1);
        assert_eq!(
            Lines::compare(&before, &after, None).unwrap().hunks().len(),
            1
        );
    }

    #[test]
    fn what_has_too_many_lines_is_not_compared_and_what_is_hard_ends_in_time() {
        let many = numbered(MOST, "");
        for (before, after) in [("", many.as_str()), (&many, ""), (&"\r".repeat(MOST), "")] {
            assert!(Lines::compare(before, after, None).is_none());
        }
        // Nothing alike; the same line over and over; two lines in turn; one line, moved.
        let most = MOST - 2;
        let hostile = [
            (numbered(most, "a"), numbered(most, "b")),
            ("a\n".repeat(most), "b\na\n".repeat(most / 2)),
            ("a\nb\n".repeat(most / 2), "b\na\n".repeat(most / 2)),
            (
                "x\n".to_owned() + &"a\n".repeat(most),
                "a\n".repeat(most) + "x\n",
            ),
        ];
        for (before, after) in &hostile {
            // A moment that has passed already ends it at the first look at the clock.
            assert!(Lines::compare(before, after, Some(Instant::now())).is_none());
            if let Some(lines) = Lines::compare(before, after, None) {
                let all = (1..=lines.hunks().len()).collect();
                assert_eq!(&lines.applied(&all), after);
            }
        }
    }
}
