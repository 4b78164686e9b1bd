# expect: MEDIUM
import json, subprocess
def run_tests():
    r = subprocess.run(["pytest", "-q"], capture_output=True, text=True, timeout=120)
    return {"ok": r.returncode == 0, "out": r.stdout[-2000:]}
TOOLS = {"run_tests": run_tests}
call = json.loads(input())
print(json.dumps(TOOLS[call["name"]](**call.get("args", {}))))
