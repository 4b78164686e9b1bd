//! Identifiers as Python compares them: styled letters are plain ones. Knows nothing of the tree.

/// The ASCII letters that NFKC makes of mathematical and full-width ones, the forms that Python accepts as the same
/// identifier.
pub(crate) fn plain_identifier(text: &str) -> String {
    text.chars().map(plain_letter).collect()
}

#[expect(clippy::match_same_arms, reason = "in the order of the code points")]
fn plain_letter(letter: char) -> char {
    let code = u32::from(letter);
    let from = |base: u32, first: u8| char::from_u32(u32::from(first) + code - base);
    let plain = match code {
        0xff21..=0xff3a => from(0xff21, b'A'),
        0xff41..=0xff5a => from(0xff41, b'a'),
        0xff10..=0xff19 => from(0xff10, b'0'),
        0xff3f | 0xfe33 | 0xfe34 | 0xfe4d..=0xfe4f => Some('_'),
        // Mathematical alphanumeric symbols: runs of 26 capitals and 26 small letters.
        0x1d400..=0x1d6a3 => {
            let offset = (code - 0x1d400) % 52;
            let base = if offset < 26 {
                u32::from(b'A')
            } else {
                u32::from(b'a') - 26
            };
            char::from_u32(base + offset)
        }
        0x1d7ce..=0x1d7ff => char::from_u32(u32::from(b'0') + (code - 0x1d7ce) % 10),
        0x2071 => Some('i'),
        0x207f => Some('n'),
        0x212f => Some('e'),
        0x210a => Some('g'),
        0x2134 => Some('o'),
        0x210e => Some('h'),
        0x2139 => Some('i'),
        0x2113 => Some('l'),
        0xaa => Some('a'),
        0xba => Some('o'),
        0x17f => Some('s'),
        0x1d43..=0x1d6a => modifier(code),
        0x02b0..=0x02b8 => "hhjrrrrwy".chars().nth((code - 0x2b0) as usize),
        0x02e1 => Some('l'),
        0x02e2 => Some('s'),
        0x02e3 => Some('x'),
        0x1d9c => Some('c'),
        0x1da0 => Some('f'),
        0x1dbb => Some('z'),
        0x2090..=0x209c => "aeoxehklmnpst".chars().nth((code - 0x2090) as usize),
        _ => None,
    };
    plain.unwrap_or(letter)
}

/// Superscript and subscript letters of the phonetic block.
fn modifier(code: u32) -> Option<char> {
    Some(match code {
        0x1d43 => 'a',
        0x1d47 => 'b',
        0x1d48 => 'd',
        0x1d49 => 'e',
        0x1d4d => 'g',
        0x1d4f => 'k',
        0x1d50 => 'm',
        0x1d52 => 'o',
        0x1d56 => 'p',
        0x1d57 => 't',
        0x1d58 | 0x1d64 => 'u',
        0x1d5b | 0x1d65 => 'v',
        0x1d62 => 'i',
        0x1d63 => 'r',
        _ => return None,
    })
}
