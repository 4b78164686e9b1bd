//! Links of the record that are kept elsewhere: shown to be kept, and read to be compared with.

use std::{fs::File, io::Read, path::Path};

use saferun_protocol::{Anchor, ApiClient};

use crate::{
    args::Global,
    daemon,
    failure::Failure,
    ui::{self, json, one_line},
};

/// Longest file of links that is read, in bytes.
const LONGEST: u64 = 4 << 20;

/// Shows where the record stands.
pub(crate) async fn head(as_json: bool, global: &Global) -> Result<u8, Failure> {
    let client = daemon::reach(global.may_start()).await?;
    let head = client.history_head().await?;
    if as_json {
        ui::line(json(&head));
    } else {
        ui::line(format!("{}:{}", head.seq, one_line(&head.link)));
    }
    Ok(0)
}

/// A link as it is written: the number of its event, a colon, 64 hexadecimal digits.
pub(crate) fn anchor(text: &str) -> Result<Anchor, String> {
    let parsed = || {
        let (seq, link) = text.trim().split_once(':')?;
        let seq = seq.parse().ok().filter(|seq| *seq > 0)?;
        let whole = link.len() == 64 && link.bytes().all(|digit| digit.is_ascii_hexdigit());
        whole.then(|| Anchor {
            seq,
            link: link.to_ascii_lowercase(),
        })
    };
    parsed().ok_or_else(|| {
        "write EVENT:LINK, as `saferunctl history head` shows it: a number, a colon, 64 hexadecimal digits".to_owned()
    })
}

/// The links of a file, one a line; empty lines and those that begin with `#` are left out.
pub(super) fn read(path: &Path) -> Result<Vec<Anchor>, Failure> {
    let shown = ui::path(path);
    let mut bytes = Vec::new();
    let cannot =
        |why: &str| Failure::usage(format!("cannot read {shown}: {why}"), "check the path");
    let length = File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| cannot(&error.to_string()))?;
    // Before it is taken for text: the bound may cut a character.
    if length as u64 > LONGEST {
        return Err(Failure::usage(
            format!(
                "{shown} has more than {} MiB: a part of it would not be compared",
                LONGEST >> 20
            ),
            "keep the newest lines: each link stands for all before it",
        ));
    }
    let text = String::from_utf8(bytes).map_err(|_| cannot("it is not UTF-8 text"))?;
    let lines = (1..).zip(text.lines());
    lines
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            anchor(line).map_err(|advice| {
                Failure::usage(format!("line {number} of {shown} is no link"), advice)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_a_number_and_64_digits() {
        let link = "aB".repeat(32);
        let read = anchor(&format!(" 12:{link}\n")).unwrap();
        assert_eq!((read.seq, read.link), (12, link.to_ascii_lowercase()));
        for wrong in [
            "",
            "12",
            "12:",
            "0:ab",
            &format!("0:{link}"),
            &format!("x:{link}"),
            &format!("1:{link}0"),
            &format!("1:{}z", &link[1..]),
        ] {
            assert!(anchor(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_of_links_names_the_line_that_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heads");
        let link = "ab".repeat(32);
        std::fs::write(&path, format!("# of Monday\n3:{link}\n\n7:{link}\n")).unwrap();
        let seqs: Vec<u64> = read(&path)
            .unwrap()
            .iter()
            .map(|anchor| anchor.seq)
            .collect();
        assert_eq!(seqs, [3, 7]);
        std::fs::write(&path, format!("3:{link}\nrubbish\n")).unwrap();
        assert!(read(&path).unwrap_err().text().contains("line 2"));
        let long = format!("3:{link}\n").repeat(1 << 16);
        std::fs::write(&path, &long[..usize::try_from(LONGEST).unwrap()]).unwrap();
        assert!(read(&path).unwrap_err().text().contains("is no link"));
        std::fs::write(&path, long).unwrap();
        let refused = read(&path).unwrap_err();
        assert_eq!(refused.exit, crate::exit::USAGE);
        assert!(
            refused.text().contains("more than 4 MiB"),
            "{}",
            refused.text()
        );
    }
}
