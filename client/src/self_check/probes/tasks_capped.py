import os, signal
children, refused = [], None
for _ in range(300):
    try:
        child = os.fork()
    except OSError as error:
        refused = error
        break
    if child == 0:
        signal.pause()
    children.append(child)
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
print("held" if refused else f"{len(children)} processes at once")
