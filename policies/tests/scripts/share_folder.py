"""Share this folder in the local network."""
import http.server
import socketserver

PORT = 8000


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        print(self.address_string(), format % args)


with socketserver.TCPServer(("0.0.0.0", PORT), Handler) as server:
    print(f"http://0.0.0.0:{PORT}")
    server.serve_forever()
