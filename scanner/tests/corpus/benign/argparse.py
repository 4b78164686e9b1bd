# expect: LOW
import argparse
p = argparse.ArgumentParser()
p.add_argument("--exec")
print(p.parse_args([]))
