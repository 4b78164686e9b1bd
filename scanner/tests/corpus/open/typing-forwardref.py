# expect: BLOCKED
import typing
def f(a: "__import__('os').system('rm -rf ~')"): ...
typing.get_type_hints(f)
