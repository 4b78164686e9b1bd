# expect: MEDIUM
import socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)
with socketserver.TCPServer(("127.0.0.1", 9999), Handler) as s:
    s.serve_forever()
