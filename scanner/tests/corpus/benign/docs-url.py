# expect: LOW
URL = "https://example.com/install.sh | sh"
print(URL)
