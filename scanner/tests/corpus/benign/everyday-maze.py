# expect: LOW
import random, heapq
from collections import deque


def bfs(grid, start, goal):
    q, seen = deque([(start, [start])]), {start}
    while q:
        (r, c), path = q.popleft()
        if (r, c) == goal:
            return path
        for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            n = (r + dr, c + dc)
            if 0 <= n[0] < len(grid) and 0 <= n[1] < len(grid[0]) and not grid[n[0]][n[1]] and n not in seen:
                seen.add(n)
                q.append((n, path + [n]))


g = [[random.random() < 0.3 for _ in range(20)] for _ in range(20)]
g[0][0] = g[19][19] = False
print(bfs(g, (0, 0), (19, 19)))
