//! Turns a slice of shell text into expanded words and redirections: quotes, variables, braces, substitutions.
//! It knows nothing of pipelines and compound commands; those come from the syntax tree.

use super::HOLE;
use super::expand::{Scope, closing, parameter};
use super::word::{Redirect, Word};

/// An unquoted brace or comma inside the word that is being built, until braces are expanded.
const OPEN: char = '\u{E000}';
const COMMA: char = '\u{E001}';
const CLOSE: char = '\u{E002}';
/// No shell text needs more words than this from one command.
const MAX_WORDS: usize = 4_000;
/// Longest expanded word; variables that double each other end here.
const MAX_WORD: usize = 64 * 1024;

/// What a slice consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A word.
    Word(Word),
    /// A redirection with its target.
    Redirect(Redirect),
}

/// Expands a slice of shell text, as one command line without `|`, `;` and `&`.
pub(super) fn lex(text: &str, scope: &Scope, depth: u8) -> Vec<Item> {
    let mut lexer = Lexer {
        text,
        at: 0,
        scope,
        depth,
        items: Vec::new(),
        pending: None,
    };
    lexer.run();
    lexer.items
}

/// Expands one value, such as the right side of an assignment, without splitting it.
pub(super) fn value(text: &str, scope: &Scope, depth: u8) -> Word {
    let mut word = Word::default();
    for (index, item) in lex(text, scope, depth).into_iter().enumerate() {
        if let Item::Word(part) = item {
            if index > 0 {
                word.text.push(' ');
            }
            word.text.push_str(&part.text);
            word.substitutions.extend(part.substitutions);
            word.glob |= part.glob;
            word.process |= part.process;
        }
    }
    word
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    scope: &'a Scope,
    depth: u8,
    items: Vec<Item>,
    pending: Option<String>,
}

#[derive(Default)]
struct Building {
    word: Word,
    /// Whether there is a word at all, be it empty (`''`).
    there: bool,
    braces: bool,
}

impl Building {
    fn push(&mut self, c: char) {
        if self.word.text.len() < MAX_WORD {
            self.word.text.push(c);
        }
        self.there = true;
    }

    fn push_str(&mut self, text: &str) {
        if self.word.text.len() + text.len() <= MAX_WORD {
            self.word.text.push_str(text);
        } else {
            self.word.text.push(HOLE);
        }
    }
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn run(&mut self) {
        let mut building = Building::default();
        while let Some(c) = self.peek() {
            if self.items.len() > MAX_WORDS {
                break;
            }
            match c {
                '#' if !building.there => self.skip_comment(),
                '<' | '>' if self.rest()[1..].starts_with('(') => self.process(&mut building),
                '<' | '>' => self.redirect(&mut building),
                '&' if self.rest()[1..].starts_with('>') => self.redirect(&mut building),
                ' ' | '\t' | '\n' | '\r' | ';' | '|' | '(' | ')' | '&' => {
                    self.at += 1;
                    self.finish(&mut building);
                }
                _ => self.piece(c, &mut building),
            }
        }
        self.finish(&mut building);
    }

    fn skip_comment(&mut self) {
        let end = self.rest().find('\n').unwrap_or(self.rest().len());
        self.at += end;
    }

    /// One character or construct of an unquoted word.
    fn piece(&mut self, c: char, building: &mut Building) {
        match c {
            '\\' => {
                self.at += 1;
                if let Some(next) = self.peek() {
                    self.at += next.len_utf8();
                    if next != '\n' {
                        building.push(next);
                    }
                }
            }
            '\'' => self.single(building),
            '"' => self.double(building),
            '$' | '`' => self.dollar(building, false),
            '{' | '}' | ',' => {
                self.at += 1;
                building.braces = true;
                building.push(match c {
                    '{' => OPEN,
                    ',' => COMMA,
                    _ => CLOSE,
                });
            }
            '*' | '?' | '[' => {
                self.at += 1;
                building.word.glob = true;
                building.push(c);
            }
            _ => {
                self.at += c.len_utf8();
                building.push(c);
            }
        }
    }

    fn single(&mut self, building: &mut Building) {
        let body = &self.text[self.at + 1..];
        let end = body.find('\'').unwrap_or(body.len());
        building.push_str(&body[..end]);
        building.there = true;
        self.at = (self.at + end + 2).min(self.text.len());
    }

    fn double(&mut self, building: &mut Building) {
        self.at += 1;
        building.there = true;
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.at += 1;
                    return;
                }
                '\\' => {
                    self.at += 1;
                    let Some(next) = self.peek() else { return };
                    self.at += next.len_utf8();
                    match next {
                        '\n' => {}
                        '$' | '`' | '"' | '\\' => building.push(next),
                        _ => {
                            building.push('\\');
                            building.push(next);
                        }
                    }
                }
                '$' | '`' => self.dollar(building, true),
                _ => {
                    self.at += c.len_utf8();
                    building.push(c);
                }
            }
        }
    }

    fn dollar(&mut self, building: &mut Building, quoted: bool) {
        if !quoted && self.rest().starts_with("$'") {
            self.ansi(building);
            return;
        }
        if !quoted && self.rest().starts_with("$\"") {
            self.at += 1;
            self.double(building);
            return;
        }
        let found = parameter(self.rest(), self.scope, self.depth);
        // `"${array[@]}"` is split although it stands in quotes
        let quoted = quoted && !self.rest()[..found.length].ends_with("[@]}");
        self.at += found.length;
        building.word.substitutions.extend(found.substitution);
        if quoted {
            building.push_str(&found.text);
            return;
        }
        for c in found.text.chars() {
            if c.is_ascii_whitespace() {
                self.finish(building);
            } else {
                building.word.glob |= matches!(c, '*' | '?');
                building.push(c);
            }
        }
    }

    /// `$'...'` with its escapes.
    fn ansi(&mut self, building: &mut Building) {
        let start = self.at + 2;
        let bytes = self.text.as_bytes();
        let mut end = start;
        while end < bytes.len() && bytes[end] != b'\'' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let stop = end.min(self.text.len());
        let body = self.text.get(start..stop).unwrap_or_default();
        building.push_str(&super::expand::escapes(body));
        building.there = true;
        self.at = (stop + 1).min(self.text.len());
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
    }

    fn process(&mut self, building: &mut Building) {
        let inner_start = self.at + 2;
        let inner_end = closing(self.text, inner_start);
        building
            .word
            .substitutions
            .push(self.text[inner_start..inner_end].to_owned());
        building.word.process = true;
        building.push(HOLE);
        self.at = (inner_end + 1).min(self.text.len());
    }

    fn redirect(&mut self, building: &mut Building) {
        // a number right before the operator is a descriptor, not a word
        if building.word.text.chars().all(|c| c.is_ascii_digit()) {
            *building = Building::default();
        } else {
            self.finish(building);
        }
        let rest = self.rest();
        let operators = [
            "<<<", "&>>", "<<-", "<<", "&>", ">>", ">|", ">&", "<&", "<>", ">", "<",
        ];
        let operator = operators
            .iter()
            .find(|op| rest.starts_with(**op))
            .copied()
            .unwrap_or(">");
        self.at += operator.len().min(rest.len());
        self.pending = Some(operator.to_owned());
    }

    fn finish(&mut self, building: &mut Building) {
        let done = std::mem::take(building);
        if !done.there && done.word.text.is_empty() {
            return;
        }
        let words = if done.braces {
            braces(&done.word)
        } else {
            vec![done.word]
        };
        for word in words {
            match self.pending.take() {
                Some(operator) => self.items.push(Item::Redirect(Redirect {
                    operator,
                    target: word,
                })),
                None => self.items.push(Item::Word(word)),
            }
        }
    }
}

/// Expands `{a,b}` groups from left to right, at most 64 words.
fn braces(word: &Word) -> Vec<Word> {
    let mut open = vec![word.text.clone()];
    let mut done = Vec::new();
    while let Some(text) = open.pop() {
        if done.len() + open.len() >= 64 {
            done.push(text);
            continue;
        }
        match alternatives(&text) {
            Some((before, parts, after)) => {
                for part in parts.iter().rev() {
                    open.push(format!("{before}{part}{after}"));
                }
            }
            None => done.push(text),
        }
    }
    done.into_iter()
        .map(|text| {
            let text = text
                .replace(OPEN, "{")
                .replace(COMMA, ",")
                .replace(CLOSE, "}");
            Word {
                text,
                ..word.clone()
            }
        })
        .collect()
}

/// The first group with a comma in it: what stands before, its alternatives, what stands after.
fn alternatives(text: &str) -> Option<(&str, Vec<&str>, &str)> {
    let start = text.find(OPEN)?;
    let inner = start + OPEN.len_utf8();
    let mut depth = 0_u32;
    let mut commas = Vec::new();
    for (at, c) in text[inner..].char_indices() {
        let at = inner + at;
        match c {
            OPEN => depth += 1,
            COMMA if depth == 0 => commas.push(at),
            CLOSE if depth == 0 => {
                if commas.is_empty() {
                    return None;
                }
                let mut parts = Vec::with_capacity(commas.len() + 1);
                let mut from = inner;
                for comma in commas {
                    parts.push(&text[from..comma]);
                    from = comma + COMMA.len_utf8();
                }
                parts.push(&text[from..at]);
                return Some((&text[..start], parts, &text[at + CLOSE.len_utf8()..]));
            }
            CLOSE => depth -= 1,
            _ => {}
        }
    }
    None
}
