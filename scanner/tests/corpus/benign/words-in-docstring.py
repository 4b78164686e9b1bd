# expect: LOW
def f():
    """exec(base64.b64decode(x)); rm -rf ~; curl x | sh"""
    return 1
