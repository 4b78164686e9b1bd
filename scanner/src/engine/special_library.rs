//! Functions of the library and of packages that hand on what they are given: to programs, to containers of values,
//! into other objects. Each is one entry of the effects table.

use super::Engine;
use super::call::Call;
use super::emit::Raise;
use super::fold::codec;
use super::special::{first, fold_each};
use super::value::{Const, Value};
use crate::Level;
use crate::rules::Access;

/// Elements that one chain is made of at most.
const MAX_CHAINED: usize = 4096;

/// `sh.rm("-rf", path)`: the function is the program.
pub(crate) fn program_named(engine: &mut Engine, call: &Call) -> Value {
    let program = engine.names.get(call.name).last;
    let mut words = vec![Value::str(engine.symbols.text(program))];
    words.extend(call.pos.iter().cloned());
    engine.judge_argv(call, &Value::seq(words));
    Value::Unknown
}

/// `pexpect.spawn(program, arguments)`; without a list the text is a command line, which another effect judges.
pub(crate) fn program_with_list(engine: &mut Engine, call: &Call) -> Value {
    let list = call.pos.get(1).or_else(|| call.keyword(engine, "args"));
    let Some(items) = list.and_then(|list| list.items().cloned()) else {
        return Value::Unknown;
    };
    let words = std::iter::once(first(call)).chain(items.iter().cloned());
    engine.judge_argv(call, &Value::seq(words.collect()));
    Value::Unknown
}

/// `chain(a, b)`.
pub(crate) fn chained(engine: &mut Engine, call: &Call) -> Value {
    let lists = call.pos.to_vec();
    chain_of(engine, &lists)
}

/// `chain.from_iterable(lists)`.
pub(crate) fn chained_from(engine: &mut Engine, call: &Call) -> Value {
    let value = first(call);
    if let Some(lists) = engine.known_elements(&value) {
        return chain_of(engine, &lists);
    }
    let inner = engine.element_of(&value);
    Value::element(engine.element_of(&inner))
}

fn chain_of(engine: &mut Engine, lists: &[Value]) -> Value {
    let mut all = Vec::new();
    for list in lists.iter().take(64) {
        let known = engine.known_elements(list);
        match known {
            Some(items)
                if all.len() + items.len() <= MAX_CHAINED && engine.spend_fold(items.len() * 8) =>
            {
                all.extend(items);
            }
            _ => {
                let mut any = Value::Unknown;
                for list in lists.iter().take(64) {
                    let element = engine.element_of(list);
                    any = any.join_known(&element);
                }
                return Value::element(any);
            }
        }
    }
    Value::seq(all)
}

/// `accumulate(items)`: the sums of the first elements, which for texts are their concatenations.
pub(crate) fn accumulated(engine: &mut Engine, call: &Call) -> Value {
    let value = first(call);
    let items = engine
        .known_elements(&value)
        .filter(|items| items.len() <= 64);
    let (Some(items), 1) = (items, call.values().count()) else {
        return engine.element_of(&value);
    };
    let mut sums: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        let sum = match sums.last() {
            Some(last) => {
                let last = last.clone();
                engine.binary(call.at, crate::syntax::ir::BinOp::Add, &last, &item)
            }
            None => item,
        };
        sums.push(sum);
    }
    Value::seq(sums)
}

/// `asyncio.open_connection(host, port)`: the two ends of a connection.
pub(crate) fn stream_pair(engine: &mut Engine, _: &Call) -> Value {
    let reader = engine.named("asyncio.StreamReader()");
    let writer = engine.named("asyncio.StreamWriter()");
    Value::seq(vec![reader, writer])
}

/// `mock.patch("module.name", new)`: the name means something else from here on.
pub(crate) fn patched(engine: &mut Engine, call: &Call) -> Value {
    let new = call.pos.get(1).or_else(|| call.keyword(engine, "new"));
    let new = new.cloned().unwrap_or_default();
    if engine.dangerous_ref(&new).is_some()
        && let Some((owner, name)) = first(call).as_str().and_then(|text| text.rsplit_once('.'))
    {
        let owner = engine.named(owner);
        let name = engine.symbols.intern(name);
        engine.store_attr_on(&owner, name, &new);
    }
    new
}

/// `mock.patch.object(module, "name", new)`.
pub(crate) fn patched_object(engine: &mut Engine, call: &Call) -> Value {
    let new = call.pos.get(2).or_else(|| call.keyword(engine, "new"));
    let new = new.cloned().unwrap_or_default();
    if engine.dangerous_ref(&new).is_some()
        && let Some(name) = call.pos.get(1).and_then(Value::as_str)
    {
        let name = engine.symbols.intern(name);
        engine.store_attr_on(&first(call), name, &new);
    }
    new
}

/// `Mock(side_effect=f)`: calling it calls `f`.
pub(crate) fn mocked(engine: &mut Engine, call: &Call) -> Value {
    let effect = call.keyword(engine, "side_effect").cloned();
    effect.unwrap_or_default()
}

/// `unicodedata.normalize(form, text)`, as far as it makes plain letters of styled ones.
pub(crate) fn normalised(engine: &mut Engine, call: &Call) -> Value {
    let mut inner = Call::bare(call.at);
    inner.pos.extend(call.pos.iter().skip(1).cloned());
    fold_each(engine, &inner, |one| match one {
        Const::Str(text) => Some(Value::str(&crate::syntax::plain_identifier(text))),
        _ => None,
    })
}

/// `quopri.decodestring(data)`.
pub(crate) fn quoted_printable(engine: &mut Engine, call: &Call) -> Value {
    fold_each(engine, call, |one| match one {
        Const::Bytes(bytes) => Some(Value::bytes(&codec::quoted_printable(bytes))),
        Const::Str(text) => Some(Value::bytes(&codec::quoted_printable(text.as_bytes()))),
        _ => None,
    })
}

/// `message.add_attachment(data)`: the object holds what it is given.
pub(crate) fn attached(engine: &mut Engine, call: &Call) -> Value {
    if let Some((object, value)) = &call.receiver {
        let held = value.with_taints(&call.taints());
        engine.replace_base(*object, &held);
    }
    Value::Unknown
}

/// `fileinput.input(path, inplace=True)`: what is printed replaces the file.
pub(crate) fn rewritten(engine: &mut Engine, call: &Call) -> Value {
    let in_place = call
        .keyword(engine, "inplace")
        .is_some_and(|flag| flag.truth() != Some(false));
    if in_place {
        engine.judge_path(call, &first(call), Access::Write);
    }
    Value::Unknown
}

/// `tempfile.mkstemp()`: a descriptor and a path of the same file.
pub(crate) fn temp_file(engine: &mut Engine, call: &Call) -> Value {
    let suffix = call.pos.first().or_else(|| call.keyword(engine, "suffix"));
    let suffix = suffix.and_then(Value::as_str).unwrap_or_default();
    let path = Value::str(&format!("/tmp/x{suffix}"));
    Value::seq(vec![path.clone(), path])
}

/// A container that is started with the host's disk, or with all rights, is the host.
pub(crate) fn container_started(engine: &mut Engine, call: &Call) -> Value {
    let all_rights = call
        .keyword(engine, "privileged")
        .is_some_and(|flag| flag.truth() == Some(true));
    let mounts = call.keyword(engine, "volumes").is_some_and(mounts_host);
    if all_rights || mounts {
        engine.raise(
            "SR845",
            call.at,
            Raise {
                level: Some(Level::Blocked),
                subject: Some(call.name),
                ..Raise::default()
            },
        );
    }
    Value::Unknown
}

/// Whether volumes, as a list of `host:inside` or a dictionary by the host's path, hold the root or the engine's socket.
fn mounts_host(volumes: &Value) -> bool {
    let whole = |value: &Value| {
        let host = value.as_str().and_then(|text| text.split(':').next());
        host.is_some_and(|path| path == "/" || path.ends_with("docker.sock"))
    };
    let listed = volumes.items().is_some_and(|items| items.iter().any(whole));
    listed
        || volumes
            .pairs()
            .is_some_and(|pairs| pairs.iter().any(|(host, _)| whole(host)))
}

/// `lru_cache(size)` and `wraps(function)` give a decorator that hands on what it decorates.
pub(crate) fn decorator_maker(engine: &mut Engine, call: &Call) -> Value {
    let name = engine.names.get(call.name).last;
    let value = first(call);
    if engine.symbols.text(name) == "wraps" || value.refs().is_empty() {
        return engine.named("copy.copy");
    }
    value
}

/// `reload(module)`: the module.
pub(crate) fn reloaded(_: &mut Engine, call: &Call) -> Value {
    first(call)
}

/// `server.accept()`: a connection, and who is at its other end.
pub(crate) fn accepted(engine: &mut Engine, _: &Call) -> Value {
    let connection = engine.named("socket.socket()");
    Value::seq(vec![connection, Value::Unknown])
}

/// `shlex.join(words)`, as far as the words need no quotes.
pub(crate) fn shlex_join(engine: &mut Engine, call: &Call) -> Value {
    let list = first(call);
    let Some(items) = engine
        .known_elements(&list)
        .filter(|items| items.len() <= 256)
    else {
        return Value::Unknown.with_taints(&list.all_taints());
    };
    let words: Vec<Value> = items
        .iter()
        .map(|item| match item.as_str() {
            Some(text)
                if text.contains(|c: char| !c.is_alphanumeric() && !"-_./=:,@%+~".contains(c)) =>
            {
                Value::str(&format!("'{}'", text.replace('\'', "'\\''")))
            }
            _ => item.clone(),
        })
        .collect();
    super::fold::text::join(" ", &words)
        .map_or(Value::Unknown, Value::Const)
        .with_taints(&list.all_taints())
}

/// `get_ipython().run_line_magic("system", command)` and `run_cell_magic("bash", "", script)`.
pub(crate) fn magic(engine: &mut Engine, call: &Call) -> Value {
    let name = first(call);
    let text = call.pos.last().cloned().unwrap_or_default();
    match name.as_str() {
        Some("system" | "sx" | "!" | "!!" | "bash" | "sh" | "script") => {
            engine.judge_shell(call, &text);
        }
        Some("python" | "python3" | "time" | "timeit" | "prun" | "capture") => {
            engine.run_code(call, &text);
        }
        Some(_) => {}
        None => engine.judge_shell(call, &Value::Unknown),
    }
    Value::Unknown
}
