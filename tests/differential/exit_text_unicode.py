import sys
sys.exit("ünï — 日本 \U0001f40d")
