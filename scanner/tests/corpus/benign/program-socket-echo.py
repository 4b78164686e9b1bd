# expect: MEDIUM
import socketserver

class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)

with socketserver.TCPServer(("127.0.0.1", 9999), Echo) as server:
    server.serve_forever()
