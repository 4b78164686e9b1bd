# expect: LOW
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from PIL import Image, ExifTags

OUT = Path("thumbs")


def shrink(path):
    with Image.open(path) as im:
        im.thumbnail((256, 256))
        im.save(OUT / path.name, quality=85)
    return path.name


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    with ProcessPoolExecutor() as ex:
        for n in ex.map(shrink, Path("in").glob("*.jpg")):
            print(n)
