//! A plain table: columns as wide as their widest cell, two spaces between them, no lines.

/// The rows as text; the first row is the heading. The last column is not padded.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut text = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let cell = |text: &str| text.to_owned();
        let rows = [
            vec![cell("ID"), cell("NAME")],
            vec![cell("12345"), cell("ü")],
            vec![cell("1"), cell("b")],
        ];
        assert_eq!(table(&rows), "ID     NAME\n12345  ü\n1      b\n");
    }
}
