# expect: LOW
class Stack[T: (int, str)]:
    __slots__ = ("_items",)

    def __init__(self, *items: T) -> None:
        self._items: list[T] = list(items)

    def push(self, item: T) -> None:
        self._items.append(item)

    def pop(self) -> T:
        if not self._items:
            raise IndexError("pop from an empty stack")
        return self._items.pop()

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self):
        while self._items:
            yield self.pop()


s = Stack[int](1, 2)
while len(s):
    print(s.pop())
