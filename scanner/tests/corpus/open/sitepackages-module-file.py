# expect: HIGH
import requests
with open(requests.__file__, "a") as f:
    f.write("evil")
