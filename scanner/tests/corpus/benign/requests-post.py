# expect: MEDIUM
import requests
requests.post("https://api.example.com/items", json={"name": "x"})
