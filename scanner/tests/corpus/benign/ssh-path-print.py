# expect: LOW
print("~/.ssh/id_rsa is where keys live")
