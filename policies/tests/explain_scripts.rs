//! Ten whole scripts as models write them, scanned for real: what `policy explain` answers on each is kept beside it.

use std::{fs, path::Path};

use saferun_policy::{ClientKind, DecisionRequest, preset};
use saferun_scanner::{Options, scan};

#[test]
fn each_script_gets_an_answer_that_a_person_understands() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let policy = preset("default").expect("a preset");
    let asks = DecisionRequest {
        person_present: true,
        client: ClientKind::Terminal,
        ..DecisionRequest::default()
    };
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("the scripts")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    names.sort();
    assert!(names.len() >= 10, "{names:?}");
    for path in names {
        let code = fs::read_to_string(&path).expect("a script");
        let report = scan(&code, &Options::default());
        let explained = policy.explain(&report, &asks, Some(&code));
        assert_eq!(explained.decision, policy.decide(&report, &asks));
        let name = path.file_stem().expect("a name").to_string_lossy();
        insta::assert_snapshot!(&*name, explained.to_string());
    }
}
