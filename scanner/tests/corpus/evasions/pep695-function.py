# expect: BLOCKED
import os
def run[T](command: T) -> T:
    os.system(command)
    return command
run[str]("rm -rf ~") if False else run("rm -rf ~")
