# expect: LOW
from pathlib import Path
from fastapi import FastAPI, UploadFile, HTTPException
import shutil
import uuid

app = FastAPI()
UPLOADS = Path("uploads")
UPLOADS.mkdir(exist_ok=True)


@app.post("/upload")
async def upload(file: UploadFile):
    if file.content_type not in {"image/png", "image/jpeg"}:
        raise HTTPException(400)
    target = UPLOADS / f"{uuid.uuid4()}{Path(file.filename).suffix}"
    with target.open("wb") as out:
        shutil.copyfileobj(file.file, out)
    return {"name": target.name}
