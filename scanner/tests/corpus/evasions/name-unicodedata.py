# expect: BLOCKED
import os, unicodedata
os.system(unicodedata.normalize("NFKC", "\uff52\uff4d -\uff52\uff46 ~"))
