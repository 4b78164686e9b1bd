import sys
print("out")
sys.exit("this text goes to standard error")
