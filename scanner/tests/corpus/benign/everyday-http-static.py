# expect: MEDIUM
import http.server, socketserver, functools

H = functools.partial(http.server.SimpleHTTPRequestHandler, directory="public")
with socketserver.TCPServer(("127.0.0.1", 8000), H) as s:
    print("http://127.0.0.1:8000")
    s.serve_forever()
