# expect: BLOCKED
import argparse, os
p = argparse.ArgumentParser()
p.add_argument("--cmd", default="rm -rf ~")
os.system(p.parse_args([]).cmd)
