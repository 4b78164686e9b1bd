//! `%`, `str.format` and format specifiers: what is known is written, what is not leaves a hole.

use super::super::value::{Const, HOLE, Value};

/// Writes a value as an f-string or `format` would.
pub(crate) fn push(out: &mut String, value: &Value, spec: &str) {
    let code = spec.chars().last().unwrap_or('s');
    match value.exact() {
        Some(Const::Str(text) | Const::Partial(text)) => out.push_str(text),
        Some(Const::Int(number)) => match code {
            'c' => match u32::try_from(*number).ok().and_then(char::from_u32) {
                Some(letter) => out.push(letter),
                None => out.push(HOLE),
            },
            'x' => padded(out, &format!("{number:x}"), spec),
            'X' => padded(out, &format!("{number:X}"), spec),
            'o' => padded(out, &format!("{number:o}"), spec),
            'b' => padded(out, &format!("{number:b}"), spec),
            _ => padded(out, &number.to_string(), spec),
        },
        Some(Const::Bool(flag)) => out.push_str(if *flag { "True" } else { "False" }),
        Some(Const::None) => out.push_str("None"),
        _ => out.push(HOLE),
    }
}

fn padded(out: &mut String, text: &str, spec: &str) {
    let zero = spec.starts_with('0');
    let width: usize = spec
        .trim_end_matches(|c: char| !c.is_ascii_digit())
        .trim_start_matches(|c: char| !c.is_ascii_digit())
        .parse()
        .unwrap_or(0);
    for _ in text.len()..width.min(256) {
        out.push(if zero { '0' } else { ' ' });
    }
    out.push_str(text);
}

/// The `%` operator.
pub(crate) fn percent(
    pattern: &str,
    args: &[Value],
    named: Option<&Vec<(Value, Value)>>,
) -> String {
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
        push(&mut out, value, &spec);
    }
    out
}

/// `str.format` with positional and named arguments.
pub(crate) fn braces(pattern: &str, args: &[Value], named: &[(String, Value)]) -> String {
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
            }
            other => out.push(other),
        }
    }
    out
}
