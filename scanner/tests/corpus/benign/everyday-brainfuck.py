# expect: LOW
import sys


def compile(src):
    stack, jump = [], {}
    for i, c in enumerate(src):
        if c == "[":
            stack.append(i)
        elif c == "]":
            j = stack.pop()
            jump[i], jump[j] = j, i
    return jump


def exec(src, data=b""):
    jump, tape, p, i, out = compile(src), [0] * 30000, 0, 0, []
    data = iter(data)
    while i < len(src):
        c = src[i]
        if c == ">": p += 1
        elif c == "<": p -= 1
        elif c == "+": tape[p] = (tape[p] + 1) % 256
        elif c == "-": tape[p] = (tape[p] - 1) % 256
        elif c == ".": out.append(chr(tape[p]))
        elif c == ",": tape[p] = next(data, 0)
        elif c == "[" and not tape[p]: i = jump[i]
        elif c == "]" and tape[p]: i = jump[i]
        i += 1
    return "".join(out)


print(exec("++++++++[>++++++++<-]>+."))
