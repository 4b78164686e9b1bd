# expect: HIGH
from fastapi import FastAPI
import subprocess
app = FastAPI()
@app.get("/run")
def run(cmd: str):
    return subprocess.check_output(cmd, shell=True)
