# expect: LOW
from typing import Callable
def go(run: Callable[[str], int]) -> int:
    return 1
