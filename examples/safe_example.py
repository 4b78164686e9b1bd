"""Nothing here reaches beyond the program: it runs without a word from SafeRun."""

from collections import Counter
from statistics import mean

TEXT = """
The sandbox is thrown away after each run. What a program writes there is gone with it;
what it prints is yours. That is all a script of this kind needs.
"""


def main() -> None:
    words = [word.strip(".,;").lower() for word in TEXT.split()]
    lengths = [len(word) for word in words]
    print("Hello from the sandbox!")
    print(f"{len(words)} words, {mean(lengths):.1f} letters each on average")
    for word, count in Counter(words).most_common(3):
        print(f"{word:>8}  {'#' * count}")
    print("squares:", ", ".join(str(n * n) for n in range(1, 11)))


if __name__ == "__main__":
    main()
