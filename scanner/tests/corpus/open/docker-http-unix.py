# expect: BLOCKED
import requests_unixsocket
s = requests_unixsocket.Session()
s.post("http+unix://%2Fvar%2Frun%2Fdocker.sock/containers/create", json={})
