//! Completions and manual pages, made from the command line's own definition.

use clap::{Command, CommandFactory};

use crate::{args::Cli, failure::Failure, ui};

/// Prints completions.
pub(crate) fn completions(shell: clap_complete::Shell) {
    ui::out(completions_for(shell));
}

fn completions_for(shell: clap_complete::Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "saferunctl", &mut text);
    text
}

/// Prints one manual page: the command, then each of its commands.
pub(crate) fn man() -> Result<u8, Failure> {
    let mut text = Vec::new();
    render(&mut Cli::command(), &mut text).map_err(|error| {
        Failure::failed(
            format!("cannot write the manual page: {error}"),
            "report this",
        )
    })?;
    ui::out(text);
    Ok(0)
}

fn render(command: &mut Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    command.build();
    let page = clap_mangen::Man::new(command.clone());
    page.render_title(text)?;
    page.render_name_section(text)?;
    page.render_synopsis_section(text)?;
    page.render_description_section(text)?;
    page.render_options_section(text)?;
    notes(command, text);
    describe(command, text)?;
    page.render_version_section(text)
}

fn describe(command: &Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let title = sub.get_bin_name().unwrap_or(sub.get_name()).to_uppercase();
        text.extend_from_slice(format!(".SH \"{title}\"\n").as_bytes());
        let page = clap_mangen::Man::new(sub.clone());
        page.render_synopsis_section(text)?;
        page.render_description_section(text)?;
        page.render_options_section(text)?;
        notes(sub, text);
        describe(sub, text)?;
    }
    Ok(())
}

/// What follows the options in a command's help, line by line as it stands there.
fn notes(command: &Command, text: &mut Vec<u8>) {
    let Some(after) = command.get_after_help() else {
        return;
    };
    text.extend_from_slice(b".SH NOTES\n.nf\n");
    for line in after.to_string().lines() {
        // A line that begins with a dot or a quote would be a request.
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        text.extend_from_slice(format!("\\&{line}\n").as_bytes());
    }
    text.extend_from_slice(b".fi\n");
}

#[cfg(test)]
mod tests {
    use clap_complete::Shell;

    use super::*;

    /// Each visible command, with those below it.
    fn names(command: &Command) -> Vec<String> {
        let visible = command.get_subcommands().filter(|sub| !sub.is_hide_set());
        visible
            .flat_map(|sub| [vec![sub.get_name().to_owned()], names(sub)].concat())
            .collect()
    }

    #[test]
    fn completions_and_the_manual_page_know_every_command() {
        let mut page = Vec::new();
        render(&mut Cli::command(), &mut page).unwrap();
        let mut texts = vec![("man", page)];
        for (name, shell) in [
            ("bash", Shell::Bash),
            ("zsh", Shell::Zsh),
            ("fish", Shell::Fish),
        ] {
            texts.push((name, completions_for(shell)));
        }
        let names = names(&Cli::command());
        assert!(
            names.len() > 30 && names.contains(&"uninstall".to_owned()),
            "{names:?}"
        );
        let bash = completions_for(Shell::Bash);
        let bash = String::from_utf8(bash).unwrap();
        assert!(bash.contains("LOW MEDIUM HIGH BLOCKED"), "values, too");
        for (kind, text) in texts {
            // roff writes a dash as \\- in bold text.
            let text = String::from_utf8(text)
                .unwrap()
                .replace("\\-", "-")
                .to_lowercase();
            if kind == "man" {
                assert!(
                    text.contains("\n\\&  saferunctl run script.py "),
                    "its examples, a line each"
                );
                assert!(
                    text.contains("exit codes: 0 it can; 1 it cannot;"),
                    "what commands return"
                );
            }
            for name in &names {
                assert!(text.contains(name.as_str()), "{kind} does not know {name}");
            }
        }
    }
}
