//! Functions of the library that make paths: joining, globbing, home and temporary folders. Each is one entry of the
//! effects table.

use super::Engine;
use super::call::Call;
use super::value::Value;

pub(crate) fn os_path_join(_: &mut Engine, call: &Call) -> Value {
    let parts: Vec<Value> = call.pos.to_vec();
    Engine::join_texts(&parts)
}

pub(crate) fn path_object(engine: &mut Engine, call: &Call) -> Value {
    let parts: Vec<Value> = call.pos.to_vec();
    let joined = if parts.is_empty() {
        Value::str(".")
    } else {
        Engine::join_texts(&parts)
    };
    engine.with_path("pathlib.Path()", &joined)
}

pub(crate) fn path_join(engine: &mut Engine, call: &Call) -> Value {
    let mut parts: Vec<Value> = Vec::new();
    parts.extend(call.receiver.iter().map(|(_, value)| value.clone()));
    parts.extend(call.pos.iter().cloned());
    let joined = Engine::join_texts(&parts);
    engine.with_path("pathlib.Path()", &joined)
}

pub(crate) fn path_home(engine: &mut Engine, _: &Call) -> Value {
    engine.with_path("pathlib.Path()", &Value::str("~"))
}

pub(crate) fn path_cwd(engine: &mut Engine, _: &Call) -> Value {
    engine.with_path("pathlib.Path()", &Value::str("."))
}

/// The receiver as it is: `path.expanduser()`, `path.resolve()`.
pub(crate) fn receiver(_: &mut Engine, call: &Call) -> Value {
    call.receiver
        .as_ref()
        .map(|(_, value)| value.clone())
        .unwrap_or_default()
}

pub(crate) fn working_folder(_: &mut Engine, _: &Call) -> Value {
    Value::str(".")
}

pub(crate) fn temp_folder(_: &mut Engine, _: &Call) -> Value {
    Value::str("/tmp/x")
}

/// Paths inside a folder: `os.listdir`, `glob`, `rglob` and `os.walk` give what a star stands for.
pub(crate) fn walk(_: &mut Engine, call: &Call) -> Value {
    let top = call.pos.first().cloned().unwrap_or_else(|| Value::str("."));
    let root = Engine::join_texts(&[top, Value::str("**")]);
    let names = Value::element(Value::str("*"));
    Value::element(Value::seq(vec![root, names.clone(), names]))
}

pub(crate) fn listing(_: &mut Engine, _: &Call) -> Value {
    Value::element(Value::str("*"))
}

pub(crate) fn glob(_: &mut Engine, call: &Call) -> Value {
    Value::element(call.pos.first().cloned().unwrap_or_default())
}

pub(crate) fn path_glob(engine: &mut Engine, call: &Call) -> Value {
    let own = receiver(engine, call);
    let pattern = call.pos.first().cloned().unwrap_or_else(|| Value::str("*"));
    let joined = Engine::join_texts(&[own, pattern]);
    Value::element(engine.with_path("pathlib.Path()", &joined))
}
