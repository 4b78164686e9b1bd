# expect: MEDIUM
import os, time
grid = {(1, 0), (2, 1), (0, 2), (1, 2), (2, 2)}
def neighbours(cell):
    x, y = cell
    return {(x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} - {cell}
def step(live):
    cells = live | {n for c in live for n in neighbours(c)}
    return {c for c in cells if len(neighbours(c) & live) == 3 or (c in live and len(neighbours(c) & live) == 2)}
for _ in range(100):
    os.system("cls" if os.name == "nt" else "clear")
    for y in range(20):
        print("".join("#" if (x, y) in grid else "." for x in range(40)))
    grid = step(grid)
    time.sleep(0.1)
