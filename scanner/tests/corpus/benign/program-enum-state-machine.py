# expect: LOW
from enum import Enum, auto

class State(Enum):
    IDLE = auto()
    RUNNING = auto()
    DONE = auto()

NEXT = {State.IDLE: State.RUNNING, State.RUNNING: State.DONE}

state = State.IDLE
while state in NEXT:
    print(state.name)
    state = NEXT[state]
