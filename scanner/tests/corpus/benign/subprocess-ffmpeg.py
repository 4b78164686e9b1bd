# expect: MEDIUM
import subprocess
from pathlib import Path
for src in Path("videos").glob("*.mov"):
    dst = src.with_suffix(".mp4")
    subprocess.run(["ffmpeg", "-i", str(src), "-c:v", "libx264", str(dst)], check=True)
