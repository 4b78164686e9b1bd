# expect: LOW
def run(command):
    match command.split():
        case ["go", direction]:
            return f"going {direction}"
        case ["take", *items]:
            return items
        case {"exec": x}:
            return x
        case _:
            return "?"
while (line := input("> ")) != "quit":
    print(run(line))
