# expect: LOW
from dataclasses import dataclass, field


@dataclass
class Stack[T]:
    items: list[T] = field(default_factory=list)

    def push(self, item: T) -> None:
        self.items.append(item)

    def pop(self) -> T:
        return self.items.pop()

    def peek(self) -> T | None:
        return self.items[-1] if self.items else None


class Queue[T](Stack[T]):
    def pop(self) -> T:
        return self.items.pop(0)


type Matrix[T] = list[list[T]]
type Name = str
if __name__ == "__main__":
    q = Queue[str]()
    q.push("a")
    print(q.peek(), q.pop())
