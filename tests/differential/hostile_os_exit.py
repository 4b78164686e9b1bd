import os
os._exit = lambda code: None
os.abort = None
print("ends all the same")
raise SystemExit(11)
