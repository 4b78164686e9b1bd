# expect: LOW
import textwrap
print(textwrap.dedent("""
    To clean up, run:
        rm -rf ~/.cache/app
"""))
