# expect: LOW
import yaml

with open("pipeline.yml") as f:
    spec = yaml.safe_load(f)
for step in spec["steps"]:
    print(step["name"], "->", step.get("run", "-"))
