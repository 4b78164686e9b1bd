//! `%`, `str.format` and format specifiers: what is known is written, what is not leaves a hole.

use super::super::operate::MAX_TEXT;
use super::super::value::{Const, HOLE, Value};

/// Columns that a specifier may ask for; text that is padded further is not worth knowing.
const MAX_WIDTH: usize = 4096;

/// Writes a value as an f-string or `format` would.
pub(crate) fn push(out: &mut String, value: &Value, spec: &str) {
    let plain = spec.strip_suffix(|c: char| c.is_ascii_alphabetic());
    let code = plain.map_or('s', |_| spec.chars().last().unwrap_or('s'));
    let layout = plain.unwrap_or(spec);
    match value.exact() {
        Some(Const::Str(text) | Const::Partial(text)) => {
            padded(out, text, layout, '<');
        }
        Some(Const::Int(number)) => match code {
            'c' => match u32::try_from(*number).ok().and_then(char::from_u32) {
                Some(letter) => out.push(letter),
                None => out.push(HOLE),
            },
            'x' => padded(out, &format!("{number:x}"), layout, '>'),
            'X' => padded(out, &format!("{number:X}"), layout, '>'),
            'o' => padded(out, &format!("{number:o}"), layout, '>'),
            'b' => padded(out, &format!("{number:b}"), layout, '>'),
            _ => padded(out, &number.to_string(), layout, '>'),
        },
        Some(Const::Bool(flag)) => out.push_str(if *flag { "True" } else { "False" }),
        Some(Const::None) => out.push_str("None"),
        _ => out.push(HOLE),
    }
}

/// Lays a text out by `[[fill]align][0][width][.precision]`; any other layout leaves a hole.
fn padded(out: &mut String, text: &str, layout: &str, usual: char) {
    let mut rest = layout;
    let (mut fill, mut align) = (' ', usual);
    let is_align = |c: char| matches!(c, '<' | '>' | '^' | '=');
    let mut letters = layout.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if is_align(second) => {
            (fill, align) = (first, second);
            rest = &layout[first.len_utf8() + 1..];
        }
        (Some(first), _) if is_align(first) => {
            align = first;
            rest = &layout[1..];
        }
        _ => {}
    }
    if rest.len() > 1 && rest.starts_with('0') && fill == ' ' {
        (fill, rest) = ('0', &rest[1..]);
    }
    let (width, precision) = match rest.split_once('.') {
        Some((width, precision)) => (width, precision.parse::<usize>().ok()),
        None => (rest, Some(usize::MAX)),
    };
    let width = if width.is_empty() {
        Some(0)
    } else {
        width.parse::<usize>().ok()
    };
    let (Some(width), Some(precision)) = (width, precision) else {
        out.push(HOLE);
        return;
    };
    let count = text.chars().count().min(precision);
    // A hole may stand for any number of letters.
    if width > MAX_WIDTH || (precision != usize::MAX && (usual == '>' || text.contains(HOLE))) {
        out.push(HOLE);
        return;
    }
    let missing = width.saturating_sub(count);
    let before = match align {
        '<' => 0,
        '^' => missing / 2,
        _ => missing,
    };
    out.extend(std::iter::repeat_n(fill, before));
    out.extend(text.chars().take(count));
    out.extend(std::iter::repeat_n(fill, missing - before));
}

/// The `%` operator; `None` if it would make more than [`MAX_TEXT`].
pub(crate) fn percent(
    pattern: &str,
    args: &[Value],
    named: Option<&Vec<(Value, Value)>>,
) -> Option<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut args = args.iter();
    let mut rest = pattern.chars().peekable();
    while let Some(letter) = rest.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        if rest.peek() == Some(&'%') {
            rest.next();
            out.push('%');
            continue;
        }
        let mut name = None;
        if rest.peek() == Some(&'(') {
            rest.next();
            name = Some(rest.by_ref().take_while(|c| *c != ')').collect::<String>());
        }
        let mut spec = String::new();
        for next in rest.by_ref() {
            spec.push(next);
            if next.is_ascii_alphabetic() {
                break;
            }
        }
        let unknown = Value::Unknown;
        let value = match &name {
            Some(name) => named
                .and_then(|pairs| pairs.iter().find(|(key, _)| key.as_str() == Some(name)))
                .map_or(&unknown, |(_, value)| value),
            None => args.next().unwrap_or(&unknown),
        };
        // `%` puts all to the right, and to the left after `-`.
        let layout = match spec.strip_prefix('-') {
            Some(left) => format!("<{left}"),
            None if spec.starts_with(|c: char| c.is_ascii_digit() && c != '0') => {
                format!(">{spec}")
            }
            None => spec,
        };
        push(&mut out, value, &layout);
        if out.len() > MAX_TEXT {
            return None;
        }
    }
    Some(out)
}

/// `str.format` with positional and named arguments; `None` if it would make more than [`MAX_TEXT`].
pub(crate) fn braces(pattern: &str, args: &[Value], named: &[(String, Value)]) -> Option<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut next_index = 0;
    let mut rest = pattern.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '{' if rest.peek() == Some(&'{') => {
                rest.next();
                out.push('{');
            }
            '}' => {
                if rest.peek() == Some(&'}') {
                    rest.next();
                }
                out.push('}');
            }
            '{' => {
                let field: String = rest.by_ref().take_while(|c| *c != '}').collect();
                let (name, spec) = field.split_once(':').unwrap_or((&field, ""));
                let name = name.split('!').next().unwrap_or("");
                let value = if name.is_empty() {
                    next_index += 1;
                    args.get(next_index - 1)
                } else if let Ok(index) = name.parse::<usize>() {
                    args.get(index)
                } else {
                    named
                        .iter()
                        .find(|(known, _)| known == name)
                        .map(|(_, value)| value)
                };
                match value {
                    Some(value) => push(&mut out, value, spec),
                    None => out.push(HOLE),
                }
                if out.len() > MAX_TEXT {
                    return None;
                }
            }
            other => out.push(other),
        }
    }
    Some(out)
}
