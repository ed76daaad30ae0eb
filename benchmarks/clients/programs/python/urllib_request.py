import time
from urllib.request import Request, urlopen

from told import tell


def connect(mode):
    def call(method, url, headers, body):
        request = Request(url, data=body, headers=headers, method=method)
        if mode == "set":
            answer = urlopen(request, timeout=30)  # recommended
        elif mode == "clock":
            return limited(request)
        else:
            answer = urlopen(request)
        with answer:
            return answer.status, answer.read()

    return call


def limited(request):
    ends, read = time.monotonic() + 30, b""  # clock
    with urlopen(request, timeout=15) as answer:  # clock
        while part := answer.read1(65536):  # clock
            read += part  # clock
            if time.monotonic() > ends:  # clock
                raise TimeoutError("the whole call took more than 30 s")  # clock
    return answer.status, read


tell("urllib.request", connect)
