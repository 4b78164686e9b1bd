# expect: LOW
from celery import Celery
import os

app = Celery("tasks", broker=os.environ.get("REDIS_URL", "redis://localhost:6379/0"))


@app.task(bind=True, max_retries=3)
def resize(self, path):
    from PIL import Image
    try:
        with Image.open(path) as im:
            im.thumbnail((100, 100))
            im.save(path + ".thumb.png")
    except OSError as e:
        raise self.retry(exc=e, countdown=5)


@app.task
def add(x, y):
    return x + y
