import time

import urllib3
from told import tell


def connect(mode):
    if mode == "set":
        pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, total=30), retries=False)  # recommended
    elif mode == "clock":
        pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=15), retries=False)  # clock
    else:
        pool = urllib3.PoolManager()

    def call(method, url, headers, body):
        if mode == "clock":
            return limited(pool, method, url, headers, body)
        answer = pool.request(method, url, headers=headers, body=body)
        return answer.status, answer.data

    return call


def limited(pool, method, url, headers, body):
    ends, read = time.monotonic() + 30, b""  # clock
    answer = pool.request(method, url, headers=headers, body=body, preload_content=False)  # clock
    while part := answer.read(1):  # clock
        read += part  # clock
        if time.monotonic() > ends:  # clock
            answer.close()  # clock
            raise TimeoutError("the whole call took more than 30 s")  # clock
    answer.release_conn()
    return answer.status, read


tell(f"urllib3 {urllib3.__version__}", connect)
