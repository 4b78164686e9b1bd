//! Prints: tables, notes, progress. The only place that writes to the terminal.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what this module is for"
)]

/// A line of the result.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Rows as the text of a Markdown table.
pub(crate) fn markdown(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!(
        "| {} |\n|{}\n",
        header.join(" | "),
        "---|".repeat(header.len())
    );
    for row in rows {
        text.extend([
            "| ",
            &row.join(" | "),
            " |
",
        ]);
    }
    text
}

/// What goes on, apart from the result.
pub(crate) fn progress(text: &str) {
    eprintln!("... {text}");
}

/// Says what went wrong.
pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}
