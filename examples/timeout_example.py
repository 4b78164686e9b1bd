"""Never ends by itself. The time limit ends it, with exit code 124:

    saferunctl run examples/timeout_example.py --timeout 2s
"""

import time


def main() -> None:
    begin = time.monotonic()
    step = 0
    while True:
        step += 1
        print(f"step {step}, {time.monotonic() - begin:.1f} s", flush=True)
        time.sleep(0.5)


if __name__ == "__main__":
    main()
