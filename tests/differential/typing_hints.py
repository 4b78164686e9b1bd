import typing


class Node:
    next: "Node | None"
    value: "int"


print(typing.get_type_hints(Node))
