//! Whether a shell command would run Python on the host. Pure, and only a guide for well-meaning
//! models: what stops an attacker is that agents run in the sandbox, not this look at a string.

/// Words that stand before the program that they start.
const STARTERS: [&str; 14] = [
    "command", "env", "exec", "nice", "nohup", "sudo", "time", "timeout", "xargs", "then", "do",
    "else", "stdbuf", "!",
];

/// What to type instead, if the command runs Python code here.
pub(super) fn instead(command: &str) -> Option<String> {
    let mut starts = true;
    let mut words = split(command).into_iter().peekable();
    while let Some(word) = words.next() {
        let Word::Text(text) = word else {
            starts = true;
            continue;
        };
        if !starts {
            continue;
        }
        let assignment = text.split_once('=').is_some_and(|(name, _)| is_name(name));
        let text = text.trim_start_matches('(').to_owned();
        let option = text.is_empty()
            || text.starts_with('-')
            || text.chars().all(|c| c.is_ascii_digit() || c == 's');
        if STARTERS.contains(&text.as_str()) || assignment || option {
            continue;
        }
        starts = false;
        let next = match words.peek() {
            Some(Word::Text(next)) => next.as_str(),
            _ => "",
        };
        let program = text.rsplit('/').next().unwrap_or(&text);
        if is_python(program) && !matches!(next, "-m" | "-V" | "--version" | "-h" | "--help") {
            return Some("run it with `saferun-python` in the place of the interpreter".to_owned());
        }
        let runs_file = matches!(program, "uv" | "poetry" | "pipenv" | "rye") && next == "run";
        let is_script = {
            let ending = std::path::Path::new(program).extension();
            ending.is_some_and(|found| found == "py" || found == "pyw")
        };
        if runs_file || is_script {
            return Some("run the script with `saferun-python FILE ARGS`".to_owned());
        }
    }
    None
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `python`, `python3`, `python3.11`, `pypy3`, `ipython`.
fn is_python(program: &str) -> bool {
    ["python", "pypy", "ipython"].iter().any(|name| {
        program
            .strip_prefix(name)
            .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
    })
}

enum Word {
    Text(String),
    /// Something after which a new command starts.
    Break,
}

/// Words with quotes and backslashes taken off, as far as a shell would.
fn split(command: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut text = String::new();
    let mut quote = None;
    // Quotes around the substitutions that are open.
    let mut outer: Vec<Option<char>> = Vec::new();
    let mut letters = command.chars().peekable();
    while let Some(letter) = letters.next() {
        let breaks = match (quote, letter) {
            (Some('"') | None, '`') => true,
            // A substitution runs within double quotes, too.
            (Some('"'), '$') => letters.peek() == Some(&'('),
            (None, letter) => ";&|\n(){}".contains(letter),
            _ => false,
        };
        if breaks {
            finish(&mut text, &mut words);
            words.push(Word::Break);
            match letter {
                '$' => {
                    outer.push(quote.take());
                    letters.next();
                }
                '(' => outer.push(None),
                ')' => quote = outer.pop().flatten(),
                _ => {}
            }
            continue;
        }
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some('"') | None, '\\') => text.extend(letters.next().filter(|c| *c != '\n')),
            (None, '\'' | '"') => quote = Some(letter),
            (None, _) if letter.is_whitespace() => finish(&mut text, &mut words),
            _ => text.push(letter),
        }
    }
    finish(&mut text, &mut words);
    words
}

fn finish(text: &mut String, words: &mut Vec<Word>) {
    if !text.is_empty() {
        words.push(Word::Text(std::mem::take(text)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_in_the_place_of_a_command_is_seen() {
        for command in [
            "python3 a.py",
            "cd x && python a.py --n 1",
            "FOO=1 /usr/bin/python3.11 -c 'print(1)'",
            "echo x | py\\thon3 -",
            "sudo -E env A=b python3 a.py",
            "out=$(python3 a.py)",
            "echo \"$(python3 a.py)\"",
            "echo \"$(date)\"; python3 a.py",
            "'python3' a.py",
            "timeout 5 python3 a.py",
            "./tool.py --x",
            "uv run a.py",
            "for f in *; do python3 $f; done",
        ] {
            assert!(instead(command).is_some(), "{command}");
        }
    }

    #[test]
    fn what_only_speaks_of_python_is_not() {
        for command in [
            "",
            "which python3",
            "grep -rn python3 .",
            "echo 'python3 a.py'",
            "python3 --version",
            "python3 -m pytest",
            "saferun-python a.py",
            "saferunctl run a.py",
            "cat a.py",
            "git commit -m 'use python3; faster'",
            "apt-get install python3",
        ] {
            assert!(instead(command).is_none(), "{command}");
        }
    }
}
