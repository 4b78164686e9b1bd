# args: ["--count", "three"]
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--count", type=int, default=1)
parser.add_argument("name")
print(parser.parse_args())
