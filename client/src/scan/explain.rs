//! `explain`: what a rule looks for, why it matters, what to write instead.

use saferun_scanner::{explain as document, explained_rules};

use crate::{
    failure::Failure,
    ui::{self, one_line},
};

/// Explains a rule by its id or name; lists all rules when none is named.
pub(crate) fn explain(rule: Option<&str>) -> Result<u8, Failure> {
    let Some(rule) = rule else {
        let mut rows = vec![["RULE", "LEVEL", "NAME"].map(str::to_owned).to_vec()];
        rows.extend(explained_rules().map(|rule| {
            vec![
                rule.id.to_owned(),
                rule.level.to_string(),
                rule.name.to_owned(),
            ]
        }));
        ui::out(ui::table(&rows));
        return Ok(0);
    };
    let Some(found) = document(rule) else {
        return Err(Failure::usage(
            format!("there is no rule {}", one_line(rule)),
            "saferunctl explain lists them all",
        ));
    };
    ui::out(found.markdown());
    Ok(0)
}
