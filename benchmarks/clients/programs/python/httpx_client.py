import time

import httpx
from told import tell


def connect(mode):
    if mode == "set":
        client = httpx.Client(timeout=httpx.Timeout(30, connect=5))  # recommended
    elif mode == "clock":
        client = httpx.Client(timeout=httpx.Timeout(15, connect=5))  # clock
    else:
        client = httpx.Client()

    def call(method, url, headers, body):
        if mode == "clock":
            return limited(client, method, url, headers, body)
        answer = client.request(method, url, headers=headers, content=body)
        return answer.status_code, answer.content

    return call


def limited(client, method, url, headers, body):
    ends, read = time.monotonic() + 30, b""  # clock
    with client.stream(method, url, headers=headers, content=body) as answer:  # clock
        for part in answer.iter_bytes():  # clock
            read += part  # clock
            if time.monotonic() > ends:  # clock
                raise TimeoutError("the whole call took more than 30 s")  # clock
    return answer.status_code, read


tell(f"httpx {httpx.__version__}", connect)
