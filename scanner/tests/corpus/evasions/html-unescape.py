# expect: BLOCKED
import html, os
os.system(html.unescape("&#114;&#109; -rf ~"))
