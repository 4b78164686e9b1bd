# expect: LOW
grid = [[0] * 9 for _ in range(9)]


def ok(r, c, n):
    return (all(grid[r][i] != n and grid[i][c] != n for i in range(9))
            and all(grid[r // 3 * 3 + i][c // 3 * 3 + j] != n for i in range(3) for j in range(3)))


def solve():
    for r in range(9):
        for c in range(9):
            if not grid[r][c]:
                for n in range(1, 10):
                    if ok(r, c, n):
                        grid[r][c] = n
                        if solve():
                            return True
                        grid[r][c] = 0
                return False
    return True


solve()
print(*grid, sep="\n")
