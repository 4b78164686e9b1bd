//! Any text as a policy file of any layer: nothing panics, an error stands within the text, and a project's file never
//! widens what stands.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saferun_policy::{LayerKind, Source, check, load, preset};

fuzz_target!(|input: (u8, &[u8])| {
    let (layer, bytes) = input;
    let text = String::from_utf8_lossy(bytes);
    let kinds = LayerKind::ALL;
    let kind = kinds[usize::from(layer) % kinds.len()];
    for diagnostic in check(&Source::yaml(kind, "policy.yaml", text.as_ref())) {
        assert!(diagnostic.origin.line as usize <= text.split('\n').count() + 1);
        assert!(!diagnostic.to_string().contains(|letter: char| letter.is_control() && !matches!(letter, '\n' | '\t')));
    }
    let project = Source::yaml(LayerKind::Project, ".saferun.yaml", text.as_ref());
    if let Ok(loaded) = load(&[project]) {
        let (stands, now) = (preset("default").expect("a preset"), loaded.policy);
        assert!(now.limits.time.max <= stands.limits.time.max);
        assert!(now.limits.memory.max <= stands.limits.memory.max);
        assert!(now.limits.pids.max <= stands.limits.pids.max);
        assert!(now.limits.concurrency <= stands.limits.concurrency);
        assert!(!now.override_rules.unattended && now.alerts.command.is_empty());
        assert!(now.override_rules.who.len() <= stands.override_rules.who.len());
        assert_eq!(now.enforcement, stands.enforcement);
        assert_eq!(now.audit.source, stands.audit.source);
    }
});
