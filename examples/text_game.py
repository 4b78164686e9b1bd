r"""The Lighthouse: a small text adventure. Reads commands from the terminal, or from a pipe:

    saferunctl run examples/text_game.py
    printf 'take lamp\nn\nd\ntake matches\nu\nu\nlight lamp\n' | saferunctl run examples/text_game.py
"""

import sys
from dataclasses import dataclass, field

DIRECTIONS = {"n": "north", "s": "south", "u": "up", "d": "down"}


@dataclass
class Room:
    name: str
    text: str
    exits: dict[str, str] = field(default_factory=dict)
    things: list[str] = field(default_factory=list)


def world() -> dict[str, Room]:
    return {
        "beach": Room("The beach", "Wet sand. A path leads north, to the lighthouse.", {"north": "hall"}, ["lamp", "shell"]),
        "hall": Room("The hall", "Dust and a spiral staircase.", {"south": "beach", "up": "top", "down": "cellar"}),
        "cellar": Room("The cellar", "It is cold here. Barrels along the wall.", {"up": "hall"}, ["matches"]),
        "top": Room("The lantern room", "Glass on all sides. Far out, a ship in the dark.", {"down": "hall"}),
    }


class Quit(Exception):
    """The player has had enough."""


class Game:
    def __init__(self) -> None:
        self.rooms = world()
        self.at = "beach"
        self.carries: list[str] = []
        self.moves = 0
        self.won = False

    @property
    def room(self) -> Room:
        return self.rooms[self.at]

    def look(self, _: str = "") -> str:
        lines = [self.room.name, self.room.text]
        if self.room.things:
            lines.append("You see: " + ", ".join(self.room.things) + ".")
        lines.append("Ways: " + ", ".join(self.room.exits) + ".")
        return "\n".join(lines)

    def go(self, where: str) -> str:
        if where not in self.room.exits:
            return "There is no way there."
        self.at = self.room.exits[where]
        return self.look()

    def take(self, thing: str) -> str:
        if thing not in self.room.things:
            return f"There is no {thing or 'such thing'} here."
        self.room.things.remove(thing)
        self.carries.append(thing)
        return f"You take the {thing}."

    def drop(self, thing: str) -> str:
        if thing not in self.carries:
            return "You do not have that."
        self.carries.remove(thing)
        self.room.things.append(thing)
        return f"You put the {thing} down."

    def light(self, thing: str) -> str:
        if thing != "lamp" or "lamp" not in self.carries:
            return "You have nothing like that to light."
        if "matches" not in self.carries:
            return "The lamp is full of oil, but with what would you light it?"
        if self.at != "top":
            return "It burns, but nobody at sea can see it from here. You blow it out."
        self.won = True
        return "The lamp flares up. Far out, the ship turns away from the rocks. You have saved it."

    def inventory(self, _: str = "") -> str:
        return "You carry: " + (", ".join(self.carries) or "nothing") + "."

    def quit(self, _: str = "") -> str:
        raise Quit

    def help(self, _: str = "") -> str:
        return "Commands: look, go WAY (or just the way), take X, drop X, light X, inventory, quit."

    def do(self, line: str) -> str:
        verb, _, rest = line.strip().lower().partition(" ")
        verb = DIRECTIONS.get(verb, verb)
        if not verb:
            return "Say something."
        self.moves += 1
        if verb in ("north", "south", "up", "down"):
            return self.go(verb)
        if verb == "go":
            return self.go(DIRECTIONS.get(rest, rest))
        verb = {"l": "look", "i": "inventory", "q": "quit", "get": "take"}.get(verb, verb)
        action = getattr(self, verb, None) if verb in ("look", "take", "drop", "light", "inventory", "quit", "help") else None
        return action(rest.strip()) if action else f"I do not know how to {verb}."


def main() -> int:
    game = Game()
    print("THE LIGHTHOUSE\nThe light has gone out, and a ship is coming.\n")
    print(game.look())
    while not game.won:
        try:
            line = input("> ")
            if not sys.stdin.isatty():
                print(line)
            print(game.do(line))
        except EOFError:
            print("\nYou fall asleep on the sand. The ship does not.")
            return 1
        except Quit:
            print("You walk away.")
            return 1
    print(f"You needed {game.moves} moves.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
