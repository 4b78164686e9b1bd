# expect: BLOCKED
import yaml
yaml.load("!!python/object/apply:os.system ['rm -rf ~']", Loader=yaml.Loader)
