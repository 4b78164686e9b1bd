# expect: LOW
def run(text):
    match text.split():
        case ["go", ("north" | "south") as d]:
            return d
        case ["quit" | "exit"]:
            return None
        case [name, *rest] if rest:
            return name
print(run("go north"))
