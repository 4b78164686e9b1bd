# expect: LOW
import yaml
with open("c.yml") as f:
    print(yaml.load(f, Loader=yaml.SafeLoader), yaml.load("a: 1", Loader=yaml.CSafeLoader))
