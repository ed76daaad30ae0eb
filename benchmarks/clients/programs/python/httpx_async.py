import asyncio

import httpx
from told import tell


def connect(mode):
    loop = asyncio.new_event_loop()
    client = httpx.AsyncClient()
    if mode == "set":
        client = httpx.AsyncClient(timeout=httpx.Timeout(30, connect=5))  # recommended

    async def ask(method, url, headers, body):
        if mode == "set":
            async with asyncio.timeout(30):  # recommended
                answer = await client.request(method, url, headers=headers, content=body)  # recommended
        else:
            answer = await client.request(method, url, headers=headers, content=body)
        return answer.status_code, answer.content

    def call(*asked):
        try:
            return loop.run_until_complete(ask(*asked))
        finally:
            loop.run_until_complete(
                asyncio.sleep(0.05)
            )  # as in a server, the loop goes on, and closes what was given up

    return call


tell(f"httpx {httpx.__version__}", connect)
