import time

import requests
from told import tell


def connect(mode):
    session = requests.Session()

    def call(method, url, headers, body):
        if mode == "set":
            answer = session.request(method, url, headers=headers, data=body, timeout=(5, 30))  # recommended
        elif mode == "clock":
            return limited(session, method, url, headers, body)
        else:
            answer = session.request(method, url, headers=headers, data=body)
        return answer.status_code, answer.content

    return call


def limited(session, method, url, headers, body):
    ends, read = time.monotonic() + 30, b""  # clock
    with session.request(method, url, headers=headers, data=body, timeout=(5, 15), stream=True) as answer:  # clock
        for part in answer.iter_content(1):  # clock
            read += part  # clock
            if time.monotonic() > ends:  # clock
                raise TimeoutError("the whole call took more than 30 s")  # clock
    return answer.status_code, read


tell(f"requests {requests.__version__}", connect)
