import sys
import urllib.request

for line in sys.stdin:
    url, seconds = line.split()
    request = urllib.request.Request(url, sys.argv[1].encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=float(seconds)) as answer:
            size = 0
            while size < 1_000_000 and (part := answer.read(100_000)):
                size += len(part)
            # A read of so many bytes does not complain of a body that is too short: the length that is left does.
            print(
                f"ok {answer.status} {min(size, 1_000_000)}"
                if not answer.length
                else f"error in body IncompleteRead {answer.length}"
            )
    except Exception as error:
        print("error", type(error).__name__, repr(getattr(error, "reason", "")), ascii(str(error)))
    sys.stdout.flush()
