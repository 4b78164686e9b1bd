//! Spellings that mean the same: each must reach the level of the plain call. The benign twins must not.

use saferun_scanner::{Level, Options, scan};

/// Ways to say `os.system("rm -rf ~")`, which is BLOCKED.
const BLOCKED: &[&str] = &[
    "import os\nos.system('rm -rf ~')",
    "import os as o\no.system('rm -rf ~')",
    "from os import system as s\ns('rm -rf ~')",
    "from os import *\nsystem('rm -rf ~')",
    "import os\ngetattr(os, 'system')('rm -rf ~')",
    "import os\ngetattr(os, 'sys' + 'tem')('rm -rf ~')",
    "import os\ngetattr(os, 'metsys'[::-1])('rm -rf ~')",
    "import os\nos.__dict__['system']('rm -rf ~')",
    "import os\nvars(os)['system']('rm -rf ~')",
    "import os\nos.__getattribute__('system')('rm -rf ~')",
    "__import__('os').system('rm -rf ~')",
    "__builtins__.__import__('os').system('rm -rf ~')",
    "__builtins__['__import__']('os').system('rm -rf ~')",
    "import builtins\nbuiltins.__import__('o' + 's').system('rm -rf ~')",
    "import importlib\nimportlib.import_module('os').system('rm -rf ~')",
    "from importlib import import_module as i\ni('os').system('rm -rf ~')",
    "import sys, os\nsys.modules['os'].system('rm -rf ~')",
    "globals()['__builtins__'].__import__('os').system('rm -rf ~')",
    "import os\nf = os.system\ng = f\ng('rm -rf ~')",
    "import os\nd = {'k': os.system}\nd['k']('rm -rf ~')",
    "import os\nl = [len, os.system]\nl[1]('rm -rf ~')",
    "import os\n(lambda f: f('rm -rf ~'))(os.system)",
    "import os\ndef run(c):\n    os.system(c)\nrun('rm -rf ~')",
    "import os\ndef run(c=os.system):\n    c('rm -rf ~')\nrun()",
    "import os\nfrom functools import partial\npartial(os.system, 'rm -rf ~')()",
    "import os, operator\noperator.attrgetter('system')(os)('rm -rf ~')",
    "import os, operator\noperator.methodcaller('system', 'rm -rf ~')(os)",
    "import os\nlist(map(os.system, ['rm -rf ~']))",
    "import os\n[f('rm -rf ~') for f in (os.system,)]",
    "import os\n(x := os.system)('rm -rf ~')",
    "import os, threading\nthreading.Thread(target=os.system, args=('rm -rf ~',)).start()",
    "import os, atexit\natexit.register(os.system, 'rm -rf ~')",
    "import os\nclass A:\n    run = os.system\nA.run('rm -rf ~')",
    "import os\nclass A:\n    def __init__(self):\n        self.f = os.system\n    def go(self):\n        self.f('rm -rf ~')\nA().go()",
    "exec('import os; os.system(\"rm -rf ~\")')",
    "import base64\nexec(base64.b64decode('aW1wb3J0IG9zCm9zLnN5c3RlbSgncm0gLXJmIH4nKQ=='))",
    "exec(bytes.fromhex('696d706f7274206f730a6f732e73797374656d2827726d202d7266207e2729'))",
    "import codecs\nexec(codecs.decode('vzcbeg bf\\nbf.flfgrz(\"ez -es ~\")', 'rot13'))",
    "exec(''.join(chr(c) for c in [105, 109, 112, 111, 114, 116, 32, 111, 115, 10, 111, 115, 46, 115, 121, 115, 116, 101, 109, 40, 39, 114, 109, 32, 45, 114, 102, 32, 126, 39, 41]))",
    "exec(''.join(map(chr, [105, 109, 112, 111, 114, 116, 32, 111, 115, 10, 111, 115, 46, 115, 121, 115, 116, 101, 109, 40, 39, 114, 109, 32, 45, 114, 102, 32, 126, 39, 41])))",
    "c = ''\nfor x in 'jnqpsu!pt<pt/tztufn)(sn!.sg!\\x7f(*':\n    c += chr(ord(x) - 1)\nexec(c)",
    "import os\nwhile True:\n    os.system(''.join(chr(c) for c in [114, 109, 32, 45, 114, 102, 32, 126]))",
    "import os\nfor _ in range(10**9):\n    x = [chr(c) for c in [114, 109, 32, 45, 114, 102, 32, 126]]\n    os.system(''.join(x))",
    "exec(compile('import os\\nos.system(\"rm -rf ~\")', 'x', 'exec'))",
    "eval('__import__(\"os\").system(\"rm -rf ~\")')",
    "import os\nos.system('{} -{} {}'.format('rm', 'rf', '~'))",
    "import os\na, b = 'rm -rf', '~'\nos.system(f'{a} {b}')",
    "import os\nos.system(' '.join(['rm', '-rf', '~']))",
    "import os\nos.system('%s -rf ~' % 'rm')",
    "import os\nos.system(b'rm -rf ~'.decode())",
    "import subprocess\nsubprocess.run('rm -rf ~', shell=True)",
    "import subprocess\nsubprocess.run(['bash', '-c', 'rm -rf ~'])",
    "import subprocess\nsubprocess.Popen(args='rm -rf ~', shell=True)",
    "from subprocess import run as r\nkw = {'shell': True}\nr('rm -rf ~', **kw)",
    "import logging\nlogging.os.system('rm -rf ~')",
    "import posix\nposix.system('rm -rf ~')",
    "print.__self__.__import__('os').system('rm -rf ~')",
    "import os\nglobals()['s'] = os.system\ns('rm -rf ~')",
    "import os\nsetattr(os, 'getcwd', os.system)\nos.getcwd('rm -rf ~')",
    "import os\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    os.system('rm -rf ~')",
    "import os\n@(lambda f: os.system('rm -rf ~'))\ndef g(): pass",
    "import os\ndef g(x=os.system('rm -rf ~')): pass",
    "import os\nmatch os.system:\n    case f:\n        f('rm -rf ~')",
    "import os\nwith open('x') as f:\n    (os.system if f else None)('rm -rf ~')",
    "import os\nasync def f():\n    os.system('rm -rf ~')",
    "import os\nｏｓ.ｓｙｓｔｅｍ('rm -rf ~')",
    "os.system('rm -rf ~')",
    "import os\nos.system('rm -rf ~'",
    "import os\nwhile True:\n    f = g\n    g = os.system\n    f('rm -rf ~')",
    "import shutil\nfrom pathlib import Path\nshutil.rmtree(Path.home())",
    "import os, shutil\nshutil.rmtree(os.environ['HOME'])",
    "import os, shutil\nshutil.rmtree(os.path.join(os.path.expanduser('~'), 'Documents'))",
    "import os\nfor top, _, names in os.walk(os.path.expanduser('~')):\n    for n in names:\n        os.remove(os.path.join(top, n))",
];

/// Code whose meaning is hidden must be HIGH at least.
const HIGH: &[&str] = &[
    "exec(secret())",
    "import os\ngetattr(os, pick())('ls')",
    "import os\nos.system(build())",
    "import marshal\nexec(marshal.loads(blob))",
    "().__class__.__bases__[0].__subclasses__()[59].__init__.__globals__['sys']",
    "[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'x'][0]()",
    "import os\npool.submit(os.system, 'ls')",
    "class A:\n    __getitem__ = exec\nA()['x']",
    "import builtins\nbuiltins.print = eval",
    "@exec\n@input\nclass X: pass",
];

/// Benign twins, with the level that they may reach.
const BENIGN: &[(&str, Level)] = &[
    ("def eval(x):\n    return x\neval('1')", Level::Low),
    ("model.eval()\ndf.eval('a + b')", Level::Low),
    ("import re\nre.compile('a+')", Level::Low),
    ("print(open('notes.txt').read())", Level::Low),
    (
        "import os\nos.path.join('a', 'b')\nos.path.exists('/etc')",
        Level::Low,
    ),
    (
        "import subprocess\nsubprocess.run(['git', 'status'])",
        Level::Medium,
    ),
    (
        "x = 'os.system(\"rm -rf ~\")'  # os.system('rm -rf ~')",
        Level::Low,
    ),
    ("open('out.txt', 'w').write('x')", Level::Low),
    (
        "class S:\n    def system(self, x): pass\nS().system('rm -rf ~')",
        Level::Low,
    ),
    ("def system(x): pass\nsystem('rm -rf ~')", Level::Low),
    ("exec = print\nexec('hello')", Level::Low),
    ("import json\njson.loads('{}')", Level::Low),
    ("import os\nprint(os.getcwd(), os.listdir('.'))", Level::Low),
    ("import random\nrandom.choice([1, 2])", Level::Low),
    (
        "import numpy as np\nnp.zeros(10)\nnp.load('x.npy')",
        Level::Low,
    ),
    (
        "import pandas as pd\npd.read_csv('x.csv').eval('a')",
        Level::Low,
    ),
    (
        "import torch\nm = torch.nn.Linear(1, 1)\nm.eval()",
        Level::Low,
    ),
    ("getattr(obj, name)()", Level::Low),
    ("import math\ngetattr(math, name)(1)", Level::Low),
    (
        "while True:\n    line = input()\n    if not line:\n        break",
        Level::Low,
    ),
    ("import shutil\nshutil.rmtree('build')", Level::Low),
    (
        "import tempfile, shutil\nd = tempfile.mkdtemp()\nshutil.rmtree(d)",
        Level::Medium,
    ),
    ("import os\nos.makedirs('out', exist_ok=True)", Level::Low),
    (
        "import requests\nr = requests.get('https://example.org')\nprint(r.json())",
        Level::Low,
    ),
    (
        "import argparse\np = argparse.ArgumentParser()\na = p.parse_args()\nprint(open(a.path).read())",
        Level::Low,
    ),
    (
        "import sqlite3\nc = sqlite3.connect('x.db')\nc.execute('SELECT 1')",
        Level::Low,
    ),
];

fn risk(code: &str) -> (Option<Level>, Vec<(String, Level, String)>) {
    let report = scan(code, &Options::default());
    (
        report.findings.iter().map(|finding| finding.level).max(),
        report
            .findings
            .into_iter()
            .map(|f| (f.rule, f.level, f.message))
            .collect(),
    )
}

#[test]
fn spelling_does_not_matter() {
    let wrong: Vec<String> = BLOCKED
        .iter()
        .filter(|code| risk(code).0 != Some(Level::Blocked))
        .map(|code| format!("{code}\n   {:?}", risk(code).1))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        BLOCKED.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_is_hidden_is_high() {
    let wrong: Vec<String> = HIGH
        .iter()
        .filter(|code| risk(code).0 < Some(Level::High))
        .map(|code| format!("{code}\n   {:?}", risk(code).1))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn benign_twins_stay_low() {
    let wrong: Vec<String> = BENIGN
        .iter()
        .filter(|(code, most)| risk(code).0 > Some(*most))
        .map(|(code, most)| format!("{code} (at most {most})\n   {:?}", risk(code).1))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
