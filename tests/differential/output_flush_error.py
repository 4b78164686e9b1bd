import sys
sys.stdout.close()
print("to a closed stream")
