# expect: LOW
import asyncio, sys
from collections import Counter


async def worker(q, c):
    while True:
        line = await q.get()
        c.update(line.lower().split())
        q.task_done()


async def main():
    q, c = asyncio.Queue(100), Counter()
    ts = [asyncio.create_task(worker(q, c)) for _ in range(4)]
    for line in sys.stdin:
        await q.put(line)
    await q.join()
    for t in ts:
        t.cancel()
    print(c.most_common(10))


asyncio.run(main())
