# expect: BLOCKED
from fabric import Connection
Connection("h").local("rm -rf ~")
