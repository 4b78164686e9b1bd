# expect: LOW
from enum import Enum, auto


class S(Enum):
    IDLE = auto()
    RUN = auto()
    STOP = auto()


T = {(S.IDLE, "start"): S.RUN, (S.RUN, "stop"): S.STOP}


class Machine:
    def __init__(self):
        self.state = S.IDLE

    def send(self, ev):
        try:
            self.state = T[self.state, ev]
        except KeyError:
            raise ValueError(f"{ev} in {self.state}") from None
        getattr(self, f"on_{self.state.name.lower()}", lambda: None)()

    def on_run(self):
        print("running")


m = Machine()
m.send("start")
m.send("stop")
