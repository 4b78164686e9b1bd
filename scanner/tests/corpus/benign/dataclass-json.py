# expect: LOW
import json
from dataclasses import asdict, dataclass, field
@dataclass
class Node:
    name: str
    children: list["Node"] = field(default_factory=list)
tree = Node("root", [Node("a"), Node("b")])
print(json.dumps(asdict(tree), indent=2))
