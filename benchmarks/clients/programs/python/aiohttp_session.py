import asyncio

import aiohttp
from told import tell


def connect(mode):
    loop = asyncio.new_event_loop()
    sessions = []

    async def open_session():
        if mode == "set":
            return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30, sock_connect=5))  # recommended
        return aiohttp.ClientSession()

    async def ask(method, url, headers, body):
        if not sessions:
            sessions.append(await open_session())
        async with sessions[0].request(method, url, headers=headers, data=body) as answer:
            return answer.status, await answer.read()

    def call(*asked):
        try:
            return loop.run_until_complete(ask(*asked))
        finally:
            loop.run_until_complete(
                asyncio.sleep(0.05)
            )  # as in a server, the loop goes on, and closes what was given up

    return call


tell(f"aiohttp {aiohttp.__version__}", connect)
