//! Two witnesses of one container, the supervisor inside and the daemon outside, held against one
//! table of what must be seen by whom. Pure; anything missing or different is a refusal.

use saferun_frames::Facts;
use saferun_protocol::{AttestationField, Witness};

use crate::engine::{Capabilities, Identity, OuterFacts, Template};

mod expected;
mod field;
mod mounts;
mod seen;
mod status;
mod table;
#[cfg(test)]
mod tests;

use self::{
    field::Field,
    table::{Need, expectations},
};

/// A setting that is not as it must be. The container is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox is not as it must be: {field} should be `{expected}`, but {} saw {}",
    who(*.witness), what(seen.as_deref()))]
pub(crate) struct AttestationError {
    /// Name of the setting.
    pub(crate) field: &'static str,
    /// What it must be.
    pub(crate) expected: String,
    /// What was seen; `None` if nothing was where something must be.
    pub(crate) seen: Option<String>,
    /// Who looked.
    pub(crate) witness: Witness,
}

fn who(witness: Witness) -> &'static str {
    match witness {
        Witness::Inside => "the supervisor inside",
        Witness::Outside => "the daemon outside",
        Witness::NotObservable => "nobody",
    }
}

fn what(seen: Option<&str>) -> String {
    // The supervisor's words come out of the sandbox.
    let safe = |text: &str| {
        text.chars()
            .filter(|c| !saferun_text::deceives(*c))
            .take(200)
            .collect::<String>()
    };
    seen.map_or_else(|| "nothing".to_owned(), |text| format!("`{}`", safe(text)))
}

/// Compares what both witnesses saw with what this template and identity ask for.
///
/// # Errors
/// The first setting, in the table's order, that is absent where it must be seen, or differs.
pub(crate) fn attest(
    template: &Template,
    identity: &Identity,
    capabilities: &Capabilities,
    inner: &Facts,
    outer: &OuterFacts,
) -> Result<Vec<AttestationField>, AttestationError> {
    let table = expectations(&template.runtime, capabilities.local);
    let asked = expected::Asked {
        template,
        identity,
        capabilities,
        outer,
    };
    let mut fields = Vec::new();
    for row in table {
        if let_go(row.field, template) {
            fields.push(AttestationField {
                name: row.field.name().to_owned(),
                value: "not held: this machine cannot, and the policy says best_effort".to_owned(),
                witness: Witness::NotObservable,
            });
            continue;
        }
        let seen_by = [
            (
                row.inside,
                Witness::Inside,
                seen::inside(row.field, inner, &asked),
            ),
            (
                row.outside,
                Witness::Outside,
                seen::outside(row.field, outer, &asked),
            ),
        ];
        let before = fields.len();
        for (need, witness, seen) in seen_by {
            if let Some(value) = check(row.field, need, witness, seen, &asked)? {
                fields.push(AttestationField {
                    name: row.field.name().to_owned(),
                    value,
                    witness,
                });
            }
        }
        if fields.len() == before {
            fields.push(AttestationField {
                name: row.field.name().to_owned(),
                value: "not observable".to_owned(),
                witness: Witness::NotObservable,
            });
        }
    }
    Ok(fields)
}

/// Whether a limit need not hold, by the user's own word.
fn let_go(field: Field, template: &Template) -> bool {
    match field {
        Field::MemoryLimit | Field::SwapLimit => template.unheld.memory,
        Field::CpuMillis => template.unheld.cpu,
        Field::PidsLimit => template.unheld.pids,
        _ => false,
    }
}

/// After a container's limits were changed: reads back those that change, from outside, and puts them in the place of
/// what both witnesses saw before.
///
/// # Errors
/// The first limit that is not what was asked for, or cannot be seen.
pub(crate) fn attest_limits(
    fields: &mut Vec<AttestationField>,
    template: &Template,
    identity: &Identity,
    capabilities: &Capabilities,
    outer: &OuterFacts,
) -> Result<(), AttestationError> {
    let asked = expected::Asked {
        template,
        identity,
        capabilities,
        outer,
    };
    for field in [
        Field::MemoryLimit,
        Field::SwapLimit,
        Field::CpuMillis,
        Field::PidsLimit,
    ] {
        let seen = seen::outside(field, outer, &asked);
        let value = check(field, Need::Required, Witness::Outside, seen, &asked)?;
        fields.retain(|known| known.name != field.name());
        fields.extend(value.map(|value| AttestationField {
            name: field.name().to_owned(),
            value,
            witness: Witness::Outside,
        }));
    }
    Ok(())
}

/// The value to record for one witness, `None` if this one sees nothing and need not.
fn check(
    field: Field,
    need: Need,
    witness: Witness,
    seen: Option<String>,
    asked: &expected::Asked<'_>,
) -> Result<Option<String>, AttestationError> {
    let expected = expected::value(field, witness, asked);
    match (need, seen) {
        (Need::Hidden, _) | (Need::IfSeen, None) => Ok(None),
        (Need::Required | Need::IfSeen, Some(seen)) if Some(&seen) == expected.as_ref() => {
            Ok(Some(seen))
        }
        (_, seen) => Err(AttestationError {
            field: field.name(),
            expected: expected.unwrap_or_else(|| "something known".to_owned()),
            seen,
            witness,
        }),
    }
}
