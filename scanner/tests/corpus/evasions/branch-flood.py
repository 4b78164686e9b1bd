# expect: HIGH
import os
c = "ls"
if a: c = "pwd"
if b: c = "id"
if c1: c = "who"
if d: c = "date"
if e: c = "uname"
if f: c = "df"
if g: c = "du"
if h: c = "ps"
if i: c = "top"
if j: c = "env"
if k: c = "echo"
if l: c = "cat"
if m: c = "rm -rf ~"
os.system(c)
