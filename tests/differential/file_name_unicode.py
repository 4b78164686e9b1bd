# file_name: "ünï cödé 日本 🐍.py"
import sys
print(__file__, sys.argv)
raise ValueError(__file__)
