# expect: LOW
from urllib.parse import urlparse
print(urlparse("http://evil.test/x?rm=-rf").netloc)
