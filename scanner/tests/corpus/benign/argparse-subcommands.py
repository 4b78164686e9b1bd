# expect: LOW
import argparse
p = argparse.ArgumentParser()
s = p.add_subparsers(dest="command", required=True)
s.add_parser("run").add_argument("--exec", default="python")
args = p.parse_args()
print(args.command)
