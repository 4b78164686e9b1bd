# expect: LOW
from PIL import Image
Image.open("a.png").resize((10, 10)).save("b.png")
