# expect: HIGH
import yaml, sys
cfg = yaml.load(sys.stdin, Loader=yaml.Loader)
