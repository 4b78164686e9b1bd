# expect: MEDIUM
import queue, threading, urllib.request, urllib.parse, re
todo, seen = queue.Queue(), set()
todo.put("https://example.com/")
def worker():
    while True:
        url = todo.get()
        try:
            html = urllib.request.urlopen(url, timeout=5).read().decode("utf-8", "replace")
            for link in re.findall(r'href="([^"]+)"', html):
                link = urllib.parse.urljoin(url, link)
                if link not in seen and len(seen) < 100:
                    seen.add(link)
                    todo.put(link)
        finally:
            todo.task_done()
for _ in range(4):
    threading.Thread(target=worker, daemon=True).start()
todo.join()
