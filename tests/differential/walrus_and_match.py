match [1, {"k": (2, 3)}]:
    case [int(a), {"k": (b, *rest)}] if (total := a + b) > 2:
        print(a, b, rest, total)
