# expect: LOW
import psutil, time, platform, shutil

print(platform.platform(), shutil.disk_usage("/"))
for _ in range(5):
    print(psutil.cpu_percent(interval=1), psutil.virtual_memory().percent)
for p in sorted(psutil.process_iter(["pid", "name", "memory_info"]), key=lambda p: p.info["memory_info"].rss, reverse=True)[:5]:
    print(p.info["pid"], p.info["name"])
