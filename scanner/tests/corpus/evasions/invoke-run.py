# expect: BLOCKED
from invoke import run
run("rm -rf ~")
