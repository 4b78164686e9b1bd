# expect: BLOCKED
import os, textwrap
os.system(textwrap.dedent("""
    rm -rf ~
"""))
