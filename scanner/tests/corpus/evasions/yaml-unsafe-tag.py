# expect: HIGH
import yaml
yaml.load("!!python/object/apply:os.system ['rm -rf ~']", Loader=yaml.UnsafeLoader)
