import os, subprocess
print(os.system("exit 3"), subprocess.getstatusoutput("echo out; echo err >&2; exit 4"))
print(subprocess.run("kill -9 $$", shell=True))
print(subprocess.run(["no-such-program"], check=False) if False else "-")
try:
    subprocess.run(["no-such-program"])
except FileNotFoundError as error:
    print(error)
with subprocess.Popen(["sort"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sort:
    print(sort.communicate("b\na\nc\n"))
