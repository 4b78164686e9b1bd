# expect: MEDIUM
import os
from celery import Celery
app = Celery("tasks", broker=os.environ.get("REDIS_URL", "redis://localhost"))
@app.task(bind=True, max_retries=3)
def resize(self, path):
    from PIL import Image
    img = Image.open(path)
    img.thumbnail((200, 200))
    img.save(path + ".thumb.jpg")
