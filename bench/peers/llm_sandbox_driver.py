"""Runs scripts through llm-sandbox as its documentation shows it: a session for each run.

Reads one line of JSON for each run, `{"code": ...}`, and answers with one line, `{"ms": ..., "stdout": ...}`.
The time is that of the session alone: neither the start of this process nor its imports are in it.
Arguments: the engine's address, the image.
"""

import json
import sys
import time

import docker
from llm_sandbox import SandboxSession

engine, image = sys.argv[1:3]
client = docker.DockerClient(base_url=engine)
for line in sys.stdin:
    code = json.loads(line)["code"]
    began = time.perf_counter()
    with SandboxSession(
        client=client,
        lang="python",
        image=image,
        # Its own set-up makes a venv and asks a package index.
        skip_environment_setup=True,
        # SIGTERM does not end the container's main process: without this each run ends with the engine's 10 s.
        runtime_configs={"network_mode": "none", "mem_limit": "256m", "stop_signal": "SIGKILL"},
    ) as session:
        stdout = session.run(code).stdout
    print(json.dumps({"ms": (time.perf_counter() - began) * 1000, "stdout": stdout}), flush=True)
