# expect: BLOCKED
import types, os
def body(ns):
    ns["run"] = lambda self: os.system("rm -rf ~")
types.new_class("X", (), {}, body)().run()
