# expect: LOW
import asyncio
import random

async def producer(queue):
    for n in range(10):
        await asyncio.sleep(random.random() / 10)
        await queue.put(n)
    await queue.put(None)

async def consumer(queue):
    while True:
        item = await queue.get()
        if item is None:
            break
        print("got", item)

async def main():
    queue = asyncio.Queue(maxsize=3)
    await asyncio.gather(producer(queue), consumer(queue))

asyncio.run(main())
