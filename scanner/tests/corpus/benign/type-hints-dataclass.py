# expect: LOW
import typing
from dataclasses import dataclass, fields
@dataclass
class P:
    name: "str"
    age: "int | None" = None
print(typing.get_type_hints(P), fields(P))
