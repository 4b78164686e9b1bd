# expect: HIGH
import types, marshal
types.FunctionType(marshal.loads(bytes.fromhex("e300")), globals())()
