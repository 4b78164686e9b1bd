# expect: LOW
import asyncio, time
class Timer:
    async def __aenter__(self):
        self.t = time.perf_counter()
        return self
    async def __aexit__(self, *a):
        print(time.perf_counter() - self.t)
async def main():
    async with Timer():
        await asyncio.sleep(0.1)
asyncio.run(main())
