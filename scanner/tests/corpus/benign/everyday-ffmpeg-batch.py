# expect: MEDIUM
import subprocess
from pathlib import Path

for src in Path(".").glob("*.mov"):
    dst = src.with_suffix(".mp4")
    if dst.exists():
        continue
    subprocess.run(["ffmpeg", "-i", str(src), "-c:v", "libx264", "-crf", "23", str(dst)], check=True)
