"""Counts primes with several processes and checks the count against known values.

    saferunctl run examples/prime_count.py -- 2000000 --workers 4
"""

import argparse
import math
import multiprocessing
import os
import time
from collections.abc import Iterator

# Number of primes below 10^n.
KNOWN = {10: 4, 100: 25, 1_000: 168, 10_000: 1_229, 100_000: 9_592, 1_000_000: 78_498, 10_000_000: 664_579}


def small_primes(limit: int) -> list[int]:
    """All primes up to and with `limit`, by the sieve of Eratosthenes."""
    sieve = bytearray([1]) * (limit + 1)
    sieve[:2] = bytes(min(2, limit + 1))
    for number in range(2, math.isqrt(limit) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, limit + 1, number)))
    return [number for number, prime in enumerate(sieve) if prime]


def count_segment(job: tuple[int, int, list[int]]) -> tuple[int, int]:
    """Primes in [low, high), and the process that counted them."""
    low, high, primes = job
    sieve = bytearray([1]) * (high - low)
    for prime in primes:
        if prime * prime >= high:
            break
        first = max(prime * prime, (low + prime - 1) // prime * prime)
        sieve[first - low :: prime] = bytes(len(range(first, high, prime)))
    return sum(sieve), os.getpid()


def segments(limit: int, size: int) -> Iterator[tuple[int, int, list[int]]]:
    primes = small_primes(math.isqrt(limit) + 1)
    for low in range(2, limit, size):
        yield low, min(low + size, limit), primes


def main() -> None:
    parser = argparse.ArgumentParser(description="Count the primes below a limit.")
    parser.add_argument("limit", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--segment", type=int, default=100_000)
    options = parser.parse_args()
    if options.limit < 0 or options.workers < 1 or options.segment < 1:
        parser.error("give positive numbers")

    begin = time.perf_counter()
    total, workers = 0, set()
    with multiprocessing.Pool(options.workers) as pool:
        for count, pid in pool.imap_unordered(count_segment, segments(options.limit, options.segment)):
            total += count
            workers.add(pid)
    seconds = time.perf_counter() - begin

    print(f"{total:,} primes below {options.limit:,}")
    print(f"counted by {len(workers)} processes in {seconds:.2f} s")
    if options.limit in KNOWN:
        assert total == KNOWN[options.limit], f"should be {KNOWN[options.limit]}"
        print("which is right")


if __name__ == "__main__":
    main()
