# expect: LOW
import yaml
with open("config.yaml") as f:
    config = yaml.safe_load(f)
config.setdefault("debug", False)
with open("config.yaml", "w") as f:
    yaml.safe_dump(config, f)
