# expect: HIGH
import pathlib
print((pathlib.Path.home() / ".bash_history").read_text())
