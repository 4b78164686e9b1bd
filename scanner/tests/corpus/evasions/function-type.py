# expect: HIGH
import types
types.FunctionType(compile(input(), "x", "exec"), globals())()
