//! Functions of the library that make paths: joining, globbing, home and temporary folders. Each is one entry of the
//! effects table.

use super::Engine;
use super::call::Call;
use super::place::Place;
use super::value::{Const, Ref, Value};
use crate::rules::Access;
use crate::rules::effects::Arg;

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

/// `path.walk()`: each folder below as a path, with the names in it.
pub(crate) fn path_walk(engine: &mut Engine, call: &Call) -> Value {
    let own = receiver(engine, call);
    let root = Engine::join_texts(&[own, Value::str("**")]);
    let root = engine.with_path("pathlib.Path()", &root);
    let names = Value::element(Value::str("*"));
    Value::element(Value::seq(vec![root, names.clone(), names]))
}

/// `archive.extract(member, path)`: the member lies there from then on.
pub(crate) fn extracted(engine: &mut Engine, call: &Call) -> Value {
    let member = call.pos.first().cloned().unwrap_or_default();
    let path = call.arg(engine, Arg(1, "path")).cloned();
    let Some(path) = path.filter(|path| path.closed().is_some()) else {
        return Value::Unknown;
    };
    let target = Engine::join_texts(&[path, member]);
    engine.judge_path(call, &target, Access::Write);
    target
}

/// `archive.extractall(path)`: what the archive holds lies there from then on.
pub(crate) fn extracted_all(engine: &mut Engine, call: &Call) -> Value {
    let path = call.arg(engine, Arg(0, "path")).cloned();
    if let Some(path) = path.filter(|path| path.closed().is_some()) {
        let root = Engine::places(&path)
            .iter()
            .any(|place| matches!(place, Place::Root | Place::SystemFolder | Place::InSystem));
        if root {
            engine.judge_path(call, &Value::str("/etc/x"), Access::Write);
        } else {
            engine.judge_path(call, &path, Access::Write);
        }
    }
    Value::Const(Const::None)
}

/// `os.open(path, flags)`: it writes unless the flags are sure to say that it only reads.
pub(crate) fn low_level_open(engine: &mut Engine, call: &Call) -> Value {
    let path = call
        .arg(engine, Arg(0, "path"))
        .cloned()
        .unwrap_or_default();
    let reads = call.arg(engine, Arg(1, "flags")).is_none_or(|flags| {
        flags.as_int() == Some(0) || engine.may_be_named(flags, |name| name == "os.O_RDONLY")
    });
    let handle = engine.with_path("builtins.open()", &path);
    if reads {
        let read = engine.read_taint(call, &path);
        return handle.with_taints(&read.taints());
    }
    engine.judge_path(call, &path, Access::Write);
    handle
}

/// `NamedTemporaryFile(dir=path)`: a file in that folder.
pub(crate) fn named_temporary(engine: &mut Engine, call: &Call) -> Value {
    let result = engine
        .names
        .result(&mut engine.symbols, call.name)
        .map_or(Value::Unknown, |id| Value::Ref(Ref::Name(id)));
    if let Some(folder) = call.keyword(engine, "dir").cloned()
        && folder.closed().is_some()
    {
        let path = Engine::join_texts(&[folder, Value::str("x")]);
        engine.judge_path(call, &path, Access::Write);
    }
    result
}
