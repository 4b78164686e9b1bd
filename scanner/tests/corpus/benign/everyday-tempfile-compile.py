# expect: MEDIUM
import subprocess, tempfile, textwrap
from pathlib import Path

src = textwrap.dedent("""
    #include <stdio.h>
    int main(void) { puts("hi"); return 0; }
""")
with tempfile.TemporaryDirectory() as d:
    c = Path(d) / "a.c"
    c.write_text(src)
    subprocess.run(["gcc", "-o", str(Path(d) / "a"), str(c)], check=True)
    print(subprocess.run([str(Path(d) / "a")], capture_output=True, text=True).stdout)
