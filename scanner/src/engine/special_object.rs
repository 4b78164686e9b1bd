//! Functions of the library that make, bind or look into objects: `super`, `staticmethod`, `namedtuple`,
//! `defaultdict`, `asdict`, module loaders. Each is one entry of the effects table.

use super::Engine;
use super::call::Call;
use super::special::first;
use super::value::{Ref, Value};
use crate::syntax::ir::Sym;

/// `super()` and `super(Class, self)`.
pub(crate) fn super_object(engine: &mut Engine, call: &Call) -> Value {
    let named = first(call).refs().iter().find_map(|one| match one {
        Ref::Class(class) => Some(*class),
        _ => None,
    });
    match named.or(engine.class) {
        Some(class) => engine.parent_of(class),
        None => Value::Unknown,
    }
}

/// `staticmethod(f)`: the function is called without the object that it was found in.
pub(crate) fn static_method(engine: &mut Engine, call: &Call) -> Value {
    let value = first(call);
    for one in value.refs() {
        if let Ref::Func(func) = one
            && engine.statics.insert(func)
            && engine.pass > 0
        {
            engine.passes.call_for_all();
        }
    }
    value
}

pub(crate) fn partial_method(engine: &mut Engine, call: &Call) -> Value {
    engine.partial_method(call)
}

/// `namedtuple(name, fields)`: a class with these fields.
pub(crate) fn named_tuple(engine: &mut Engine, call: &Call) -> Value {
    let fields = call.pos.get(1).cloned().unwrap_or_default();
    let mut names: Vec<Sym> = Vec::new();
    if let Some(text) = fields.as_str() {
        let words = text
            .split([' ', ',', '\n', '\t'])
            .filter(|word| !word.is_empty());
        names.extend(words.take(256).map(|word| engine.symbols.intern(word)));
    } else if let Some(items) = fields.items() {
        for item in items.iter().take(256) {
            // `typing.NamedTuple` pairs a name with its type.
            let name = item.items().and_then(|pair| pair.first().cloned());
            if let Some(text) = name.as_ref().unwrap_or(item).as_str() {
                names.push(engine.symbols.intern(text));
            }
        }
    }
    if names.is_empty() {
        return Value::Unknown;
    }
    Value::Ref(Ref::Class(engine.made_class(call.at, names)))
}

/// `SimpleNamespace(name=value)`: an object that holds what it is given.
pub(crate) fn namespace(engine: &mut Engine, call: &Call) -> Value {
    let class = engine.made_class(call.at, Vec::new());
    let object = Value::Ref(Ref::Instance(class));
    for (name, value) in &call.kw {
        engine.store_attr_on(&object, *name, value);
    }
    object
}

/// `dataclasses.asdict(x)` and its like.
pub(crate) fn as_dict(engine: &mut Engine, call: &Call) -> Value {
    let value = first(call);
    let mut out = Value::Unknown;
    for one in value.refs() {
        if let Ref::Instance(class) = one {
            let fields = engine.attributes_of(class);
            out = out.join_known(&fields);
        }
    }
    out.with_taints(&value.taints())
}

/// `defaultdict(factory)`: any key may give what the factory makes.
pub(crate) fn default_dict(engine: &mut Engine, call: &Call) -> Value {
    let factory = first(call);
    if factory.refs().is_empty() {
        return Value::dict(Vec::new());
    }
    let mut inner = Call::bare(call.at);
    inner.depth = call.depth + 1;
    let made = engine.call_value(&factory, inner);
    if made.refs().is_empty() {
        return Value::dict(Vec::new());
    }
    Value::element(made)
}

/// `ChainMap(a, b)`: the dictionaries as one.
pub(crate) fn chain_map(_: &mut Engine, call: &Call) -> Value {
    let mut pairs = Vec::new();
    for value in call.pos.iter().take(8) {
        if let Some(known) = value.pairs() {
            pairs.extend(known.iter().take(256).cloned());
        }
    }
    Value::dict(pairs).with_taints(&call.taints())
}

/// `pkgutil.resolve_name("module:name")`.
pub(crate) fn resolve_name(engine: &mut Engine, call: &Call) -> Value {
    let name = first(call);
    let Some(text) = name.as_str() else {
        return engine.import_value(call, &name);
    };
    let dotted = text.replace(':', ".");
    let module = text.split([':', '.']).next().unwrap_or(text).to_owned();
    engine.import_value(call, &Value::str(&module));
    engine.named(&dotted)
}

/// A loader of a file: what it gives is the module that the file is named after.
pub(crate) fn file_loader(engine: &mut Engine, call: &Call) -> Value {
    let path = call.pos.get(1).cloned().unwrap_or_default();
    engine.judge_path(call, &path, crate::rules::Access::Run);
    let stem = path.as_str().and_then(|path| {
        let file = path.rsplit(['/', '\\']).next()?;
        Some(file.split('.').next()?.to_owned())
    });
    let library = path
        .as_str()
        .is_some_and(|path| path.starts_with("/usr/lib/python") || path.contains("/lib/python3"));
    match stem {
        Some(stem) if library => engine.named(&stem),
        _ => Value::Unknown,
    }
}

/// `sys.modules.get(name)`.
pub(crate) fn modules_get(engine: &mut Engine, call: &Call) -> Value {
    let modules = engine.named("sys.modules");
    let key = first(call);
    engine.item_at(call.at, &modules, &key)
}

/// `re.sub(pattern, function, text)`: the function may see all of the text.
pub(crate) fn regex_sub(engine: &mut Engine, call: &Call) -> Value {
    super::special::regex(engine, call);
    let function = call.pos.get(1).cloned().unwrap_or_default();
    if !function.refs().is_empty() {
        let mut inner = Call::bare(call.at);
        inner.depth = call.depth + 1;
        inner.pos.push(call.pos.get(2).cloned().unwrap_or_default());
        engine.call_value(&function, inner);
    }
    Value::Unknown
}

/// `os.chdir(path)`: what is relative lies there from here on.
pub(crate) fn change_folder(engine: &mut Engine, call: &Call) -> Value {
    let path = first(call);
    engine.working = match path.exact() {
        Some(super::value::Const::Str(text)) => {
            Some(crate::rules::paths::normalise(text)).filter(|text| text.starts_with(['~', '/']))
        }
        _ => None,
    };
    Value::Const(super::value::Const::None)
}

/// `pwd.getpwuid(uid)`: an entry whose `pw_dir` is a home folder.
pub(crate) fn account(engine: &mut Engine, call: &Call) -> Value {
    let class = engine.made_class(call.at, Vec::new());
    let object = Value::Ref(Ref::Instance(class));
    let name = engine.symbols.intern("pw_dir");
    engine.store_attr_on(&object, name, &Value::str("~"));
    object
}

/// `os.scandir(path)`: entries whose `path` lies in it.
pub(crate) fn scan_folder(engine: &mut Engine, call: &Call) -> Value {
    let class = engine.made_class(call.at, Vec::new());
    let entry = Value::Ref(Ref::Instance(class));
    let top = call.pos.first().cloned().unwrap_or_else(|| Value::str("."));
    let inside = Engine::join_texts(&[top, Value::str("*")]);
    let (path, name) = (engine.symbols.intern("path"), engine.symbols.intern("name"));
    engine.store_attr_on(&entry, path, &inside);
    engine.store_attr_on(&entry, name, &Value::str("*"));
    Value::element(entry)
}

/// A file whose path is given is sent: `sftp.put(path)`, `s3.upload_file(path, ...)`.
pub(crate) fn uploaded(engine: &mut Engine, call: &Call) -> Value {
    let path = first(call);
    let mut sent = call.clone();
    let content = engine.read_taint(call, &path);
    sent.pos.clear();
    sent.kw.clear();
    sent.kw.push((engine.symbols.intern("data"), content));
    engine.judge_sink(&sent, crate::rules::effects::Sink::Network);
    Value::Unknown
}

/// `shutil.copy(from, to)`: what was secret in the one place is so in the other.
pub(crate) fn copied(engine: &mut Engine, call: &Call) -> Value {
    let target = call
        .arg(engine, crate::rules::effects::Arg(1, "dst"))
        .cloned()
        .unwrap_or_default();
    let content = engine.read_taint(call, &first(call));
    engine.judge_written(call, &target, &content);
    let source = first(call);
    if target.as_str() == Some("/dev/null") || moves_away(engine, call, &source, &target) {
        // Moved to nowhere, or to where nobody looks for it.
        engine.judge_path(call, &source, crate::rules::Access::Delete);
    }
    target
}

/// Whether a call moves what belongs to the system, or all of a home folder, out of its place.
fn moves_away(engine: &Engine, call: &Call, source: &Value, target: &Value) -> bool {
    use super::place::Place;
    let name = engine.names.text(&engine.symbols, call.name);
    if !matches!(name.as_str(), "shutil.move" | "os.rename" | "os.replace") {
        return false;
    }
    let stays = Engine::places(target)
        .iter()
        .any(|place| matches!(place, Place::Home | Place::InHome | Place::UserFolder));
    Engine::places(source).iter().any(|place| match place {
        Place::Root | Place::SystemFolder | Place::InSystem => true,
        Place::Home => !stays,
        _ => false,
    })
}

/// `shutil.make_archive(base, format, folder)`.
pub(crate) fn archived(engine: &mut Engine, call: &Call) -> Value {
    let (base, format) = (first(call), call.pos.get(1).cloned().unwrap_or_default());
    let folder = call
        .arg(engine, crate::rules::effects::Arg(2, "root_dir"))
        .cloned()
        .unwrap_or_default();
    let inside = Engine::join_texts(&[folder, Value::str("*")]);
    let content = engine.read_taint(call, &inside);
    let ending = match format.as_str() {
        Some("gztar") => "tar.gz",
        Some("bztar") => "tar.bz2",
        Some("xztar") => "tar.xz",
        Some(other) => other,
        None => "zip",
    };
    let ending = Value::str(&format!(".{ending}"));
    let path = engine.concat(&base, &ending);
    engine.judge_written(call, &path, &content);
    path.with_taints(&content.taints())
}

/// `zipfile.ZipFile(path)` and `tarfile.open(path)`, which remember their path.
pub(crate) fn archive(engine: &mut Engine, call: &Call) -> Value {
    let name = engine.names.text(&engine.symbols, call.name);
    let path = first(call);
    engine.with_path(&format!("{name}()"), &path)
}

/// `archive.write(path)`: the archive holds the file.
pub(crate) fn added(engine: &mut Engine, call: &Call) -> Value {
    let content = engine.read_taint(call, &first(call));
    if let Some((_, path)) = call.receiver.clone() {
        engine.judge_written(call, &path, &content);
    }
    Value::Unknown
}

/// `socket.connect(address)`: what holds keys, as the SSH agent does, is not to be spoken to.
pub(crate) fn connected(engine: &mut Engine, call: &Call) -> Value {
    let secret = first(call)
        .all_taints()
        .iter()
        .any(|taint| taint.label == super::value::Label::SecretFile);
    if secret {
        engine.judge_sink(call, crate::rules::effects::Sink::Network);
    }
    Value::Const(super::value::Const::None)
}

/// `os.kill(pid, signal)`: -1 stands for every process there is, 1 for the first of them.
pub(crate) fn killed(engine: &mut Engine, call: &Call) -> Value {
    if matches!(first(call).as_int(), Some(-1 | 1)) {
        engine.raise(
            "SR206",
            call.at,
            super::emit::Raise {
                level: Some(crate::Level::High),
                message: Some("ends every process that it may".to_owned()),
                subject: Some(call.name),
                ..super::emit::Raise::default()
            },
        );
    }
    Value::Const(super::value::Const::None)
}

/// `inspect.getmembers(x)`: what `vars(x)` holds.
pub(crate) fn members(_: &mut Engine, call: &Call) -> Value {
    let mut out = Value::Unknown;
    for one in first(call).refs() {
        if let Ref::Name(id) = one {
            out = out.join_known(&Value::Ref(Ref::Dict(id)));
        }
    }
    out
}

/// `os.chmod(path, mode)`: a program that runs as its owner is a way to that owner's rights.
pub(crate) fn rights(engine: &mut Engine, call: &Call) -> Value {
    let mode = call
        .arg(engine, crate::rules::effects::Arg(1, "mode"))
        .and_then(Value::as_int);
    if mode.is_some_and(|mode| mode & 0o6000 != 0) {
        engine.raise(
            "SR310",
            call.at,
            super::emit::Raise {
                level: Some(crate::Level::High),
                message: Some("makes a program run with the rights of its owner".to_owned()),
                subject: Some(call.name),
                ..super::emit::Raise::default()
            },
        );
    }
    Value::Const(super::value::Const::None)
}

/// `subprocess.Popen(program)`, which remembers its program for what is piped into it.
pub(crate) fn started(engine: &mut Engine, call: &Call) -> Value {
    let command = call
        .arg(engine, crate::rules::effects::Arg(0, "args"))
        .cloned()
        .unwrap_or_default();
    let program = match command.items() {
        Some(items) => items.first().cloned().unwrap_or_default(),
        None => command,
    };
    engine.with_path("subprocess.Popen()", &program)
}

/// `process.communicate(text)` and `process.stdin.write(text)`: a shell runs what it is given.
pub(crate) fn piped(engine: &mut Engine, call: &Call) -> Value {
    let input = call
        .arg(engine, crate::rules::effects::Arg(0, "input"))
        .cloned()
        .unwrap_or_default();
    if let Some((_, process)) = call.receiver.clone() {
        engine.judge_input(call, &process, &input);
    }
    Value::Unknown
}
