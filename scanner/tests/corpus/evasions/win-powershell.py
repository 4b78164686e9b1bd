# expect: BLOCKED
import subprocess
subprocess.run(["powershell", "-enc", "cgBtACAALQByAGYAIAB+AA=="])
