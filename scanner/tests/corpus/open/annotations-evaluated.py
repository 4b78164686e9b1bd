# expect: BLOCKED
import typing
class C:
    x: "__import__('os').system('rm -rf ~')"
typing.get_type_hints(C)
