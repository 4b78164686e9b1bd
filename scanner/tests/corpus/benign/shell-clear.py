# expect: MEDIUM
import os
os.system("cls" if os.name == "nt" else "clear")
