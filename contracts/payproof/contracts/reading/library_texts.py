"""What libraries and runtimes say of their own errors, and the traces that they print.

Each pattern holds a library's phrase with what always stands around it (its punctuation, its quotes, a number, a path).
A single word that people write too (``terminated``, "connection refused", "is not defined", "on null") counts only where
the library's own sentence or its place as a reason ("failed: terminated") shows whose word it is. What may repeat has a bound
in them: a page of a megabyte is read in a second, whatever it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CLASSES = (
    "AxiosError|JSONDecodeError|JsonException|JsonParseException|JsonReaderException|SocketTimeoutException|ConnectException|"
    "HttpTimeoutException|HttpConnectTimeoutException|HttpRequestException|TaskCanceledException|UnknownHostException|IOException|"
    "SSLHandshakeException|URLError|HTTPError|HTTPStatusError|ConnectionError|ConnectionRefusedError|ConnectionResetError|"
    "BrokenPipeError|ConnectError|ConnectTimeout|ReadTimeout|ReadError|RemoteProtocolError|ConnectTimeoutError|ReadTimeoutError|"
    "NewConnectionError|MaxRetryError|RemoteDisconnected|ServerDisconnectedError|ContentTypeError|"
    "ClientConnectorError|ClientResponseError|TimeoutError|TimeoutException|AbortError|FetchError|SocketError|"
    "HeadersTimeoutError|BodyTimeoutError|KeyError|IndexError|TypeError|ValueError|AttributeError|NameError|ReferenceError|"
    "SyntaxError|RangeError|RuntimeError|RuntimeException|ZeroDivisionError|UnboundLocalError|NullPointerException|"
    "NullReferenceException|IllegalStateException|IllegalArgumentException|ClassCastException|NoMethodError|ParserError|EOFError|"
    "ErrorException|DivisionByZeroError|ArgumentCountError"
)
_STATUS = r"(?:[A-Z][\w'-]*|Non-Authoritative)(?: [A-Z][\w'-]*| to| of| for| a)*"
_CAUSE = r"(?:[Ff]ailed|[Ee]rror|Exception): ?\"?"
_REASON = rf"(?:^|{_CAUSE})"
_END = r"(?=[\s.\"')\]]*$)"

_LIBRARY = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        # An exception's class where programs print it: before its message, or at the end of what is said.
        rf"\b(?:{_CLASSES})\b(?=: |:$|\(|\[|\]:|\s*$| at /| in [A-Z]\w+#)",
        r"\b[A-Z]\w*[a-z]Exception: |\b[A-Z]\w*[a-z](?:Error|Exception) (?:at /|in [A-Z]\w+#)",
        r"\b(?:[a-z_]\w{0,40}\.){2,8}(?:[A-Z]\w{0,60}[.$]){0,4}[A-Z]\w{0,80}(?:Exception|Error)\b|\bjava\.lang\.\w+(?:Error|Exception)",
        r"\b(?:requests|httpx|urllib3?|aiohttp|httpcore|http\.client|socket|ssl|json|pydantic)\.[\w.]{0,80}[A-Z]\w*",
        r"\bSystem\.(?:[A-Z]\w{0,60}\.){0,6}[A-Z]\w{0,80}Exception\b",
        r"\b[A-Z]\w+\\[\w\\]{0,120}(?:Exception|Error)\b",
        r"\b(?:Net::(?:OpenTimeout|ReadTimeout|WriteTimeout|HTTP\w+)|Errno::E[A-Z]+|JSON::\w*Error|Faraday::\w+|OpenSSL::SSL::\w+"
        r"|Timeout::Error|RestClient::\w+|HTTParty::\w+|Excon::Error\b)",
        r"Uncaught [\w\\]{0,120}(?:Error|Exception)\b",
        # curl and PHP
        r"cURL error \d+|curl: \(\d+\)|\bCURLE_[A-Z_]+",
        r"(?:Operation|Connection|SSL connection|Resolving) timed out after \d+ m(?:illi)?s|Failed to connect to \S+ port \d+"
        r"|Empty reply from server|Could not resolve host: |transfer closed with \d+ bytes",
        r"Recv failure: |Send failure: |OpenSSL SSL_|SSL_connect\b|SSL_ERROR_|SSL certificate problem: |certificate verify failed"
        r"|CERTIFICATE_VERIFY_FAILED|_ssl\.c:\d+|error:[0-9A-F]{8}:",
        r"\b(?:stream_socket_client|file_get_contents|fopen|fsockopen|fread|curl_exec|curl_init|json_decode|foreach)\(\)?"
        r"|[Ff]ailed to open stream: |php_network_getaddresses",
        r"Undefined (?:array key|index:? |property:? |variable:? \$|offset:? )\s*[\"\w:$-]"
        r"|Trying to access array offset on|Trying to get property ['\w]",
        r"Call to (?:a member function|(?:an )?undefined (?:method|function))\b|Attempt to (?:read|assign) property \S+ on"
        r"|Argument #\d+ \(\$\w+\)|must be of (?:the )?type \S+, \S+ given|Unsupported operand types: ",
        r"resulted in a `\d{3}|HTTP request returned status code \d{3}|Malformed UTF-8 characters, possibly",
        # Node, undici, axios, got
        r"\b(?:ECONNREFUSED|ECONNRESET|ECONNABORTED|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ESOCKETTIMEDOUT"
        r"|EPROTO|ERR_[A-Z]+(?:_[A-Z]+)+|UND_ERR_[A-Z_]+)\b",
        r"\bsocket hang up\b|This operation was aborted|operation was aborted due to timeout|secure TLS connection was established",
        rf"(?:^|[:(>\"'] ?)(?:fetch failed|other side closed)(?=[\s.\"')\]:]*$|: |\s\()|{_CAUSE}terminated{_END}",
        r"Request failed with status code \d{3}|timeout of \d+ms exceeded|Response code \d{3} \([A-Z]|Timeout awaiting '\w+' for \d+"
        r"|request to https?://\S+ failed, reason|invalid json response body at|(?:Headers|Body|Connect) Timeout Error"
        r"|Parse Error: (?:Expected|Invalid|Data|Response)|[Ss]elf[- ]signed certificate(?: in certificate chain)?[\s.\"')\]]*$"
        r"|unable to verify the first certificate",
        r"Cannot read propert(?:y|ies) (?:'\S+' )?of|Cannot (?:destructure|set) propert(?:y|ies) |Cannot convert undefined or null",
        r"(?<![\w$])[\w$]+(?:\??\.[\w$]+|\(\.\.\.\)|\[\w*\]){1,6} is not (?:a function|iterable|a constructor)\b|intermediate value\)",
        rf"{_REASON}[a-z$_]{{1,60}}[A-Z_][\w$]{{0,100}} is not (?:defined|a function|iterable){_END}",
        # requests, urllib3, httpx, aiohttp, urllib, Python itself
        r"HTTPS?ConnectionPool\(|Max retries exceeded with url|\bRead timed out\b|\('Connection aborted\.'|Remote end closed connection"
        r"|Failed to establish a new connection|NewConnectionError|InvalidChunkLength|IncompleteRead\(",
        r"Server disconnected without sending|All connection attempts failed|peer closed connection without|<?urlopen error "
        r"|\[Errno -?\d+\]|\[SSL: [A-Z_]+\]|illegal (?:request|status) line|The (?:read|write|handshake|connect) operation timed out",
        rf"Cannot connect to host \S+ ssl:|Connect call failed|unexpected mimetype: |payload is not completed|{_REASON}Server disconnected{_END}"
        r"|\b\d{3}, message=['\"]",
        rf"\d{{3}} (?:Client|Server) Error: |(?:Client|Server|Redirect) error '\d{{3}}|HTTP Error \d{{3}}: {_STATUS}",
        r"'NoneType' object|'\w+' object (?:is not (?:subscriptable|callable|iterable)|has no attribute)|\bname '\w+' is not defined"
        r"|indices must be integers|unsupported operand type\(s\)|invalid literal for int\(\)|could not convert string to float"
        r"|not all arguments converted during|takes \d+ positional arguments? but|variable '\w+' (?:referenced before|where it is not)"
        r"|\bargument of type '\w+' is not",
        # Go
        r"context deadline exceeded|\bcontext canceled\b|Client\.Timeout exceeded|\bdial (?:tcp|udp)\b \S|\bi/o timeout\b|\bunexpected EOF\b"
        r"|(?:connect|read|write): (?:connection (?:refused|reset by peer|timed out)|broken pipe)|: no such host\b|\bx509: |\btls: [a-z]"
        r"|server gave HTTP response|malformed HTTP (?:response|status|version)|transport connection broken|use of closed network",
        r"\b(?:Get|Post|Put|Patch|Delete|Head) \"?https?://[^\"\s]+\"?: ",
        r"nil pointer dereference|runtime error: (?:index|slice|invalid|integer|nil|hash|makeslice)|^panic: "
        r"|json: cannot unmarshal|interface conversion: ",
        # The C library's words, as Java, Ruby, PHP, .NET and Python pass them on
        r"(?:^|[:(\]>\"'] ?)Connection (?:refused|reset by peer)(?=\s*[(\[]| - |[\s.\"')\]]*$)|[:\]] Connection reset[\s.]*$",
        r"Connection timed out \(Connection timed out\)|Name or service not known|nodename nor servname|Temporary failure in name resolution"
        r"|No such host is known|\(os error \d+\)|getaddrinfo",
        # Java, Spring, OkHttp, Apache
        r"HTTP/1\.1 header parser|HTTP connect timed out|unexpected end of stream on|Failed to connect to \S*/[\d.:\[\]a-f]+|PKIX path"
        r"|Server returned HTTP response code: \d|Unexpected end of file from server|:\d+ failed to respond|Unable to resolve host \"",
        r"I/O error on (?:GET|POST|PUT) request|\b\d{3} [A-Z][\w ]{1,60} from (?:GET|POST|PUT) https?:"
        r"|\b\d{3} [A-Z][\w ]{0,60}: (?:\[no body\]|\"[{<])"
        r"|no suitable HttpMessageConverter|Error while extracting response for type|during \[(?:GET|POST)\] to \[",
        r"Cannot invoke \"[^\"]+\" because|because the return value of \"|\bclass \S+ cannot be cast to class|No value present[\s.]*$",
        # .NET
        r"Response status code does not indicate success|SSL connection could not be established, see|The response ended prematurely"
        r"|target machine actively refused|configured HttpClient\.Timeout|Object reference not set to an instance|The given key '\w+' was not"
        rf"|{_REASON}A task was canceled{_END}|Connection refused \(\S+:\d+\)",
        # Ruby
        r"undefined (?:method|local variable or method) [`']|Failed to open TCP connection to|no implicit conversion of \w+ into"
        rf"|\bconnect\(2\) for |{_REASON}(?:execution expired|end of file reached){_END}|\bNilClass\b",
        # Rust
        r"error sending request for url|error trying to connect: |tcp connect error: |error decoding response body"
        r"|connection closed before message completed|called `(?:Option|Result)::\w+\(\)`|thread '[^']+' panicked at",
        # JSON readers
        r"Expecting (?:value|property name|',' delimiter|':' delimiter)[^:\n]{0,80}: line \d+"
        r"|Extra data: line \d+|Unterminated string starting at: line",
        r"Unexpected token '?\S{1,3}'?(?:, | in JSON|[\s.]*$)|Unexpected end of JSON|Unexpected non-whitespace character after JSON"
        r"|Unterminated string in JSON|in JSON at position \d|[\"'] is not valid JSON|Expected (?:property name or|double-quoted|',' or)"
        r"|Bad control character in string literal",
        r"invalid character '.{1,12}' (?:looking|after|in)\b|unexpected end of JSON input|unexpected token at '"
        r"|unexpected character: '.{1,40}' at line"
        r"|unexpected end of input at line|expected (?:ident|value|`.`|object key|',' or).{0,40} at line \d+|EOF while parsing"
        r"|(?:missing field `\w+`|invalid type: [^\n]{1,120}) at line \d+",
        r"Unexpected character \('.{1,12}' \(code \d+|Unrecognized token '\w*': was expecting|No content to map due to end-of-input"
        r"|JsonReader\.setLenient"
        r"|setStrictness|Expected BEGIN_\w+ but was|JSONObject text must begin|JSONObject\[\"[^\"]{0,80}\"\] not|Cannot deserialize value of type",
        r"is an invalid start of a value|does not contain any JSON tokens|JSON value could not be converted|encountered while parsing value",
    )
)  # fmt: skip

_TRACES = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"Traceback \(most recent call last\)",
        r"File \"[^\"\n]+\.pyx?\", line \d+|File \"<\w+>\", line \d+",
        r"\bat (?:[^\s()]+ ){0,4}\(?[^\s()]*(?:\.[cm]?[jt]sx?|\bnode:[\w/]+|<anonymous>|\[eval\]):\d+:\d+\)?",
        r"\bat [\w$.<>/@-]+\((?:[\w$-]+\.(?:java|kt|scala|groovy):\d+|Native Method|Unknown Source|<generated>)\)",
        r"^[ \t]*at [A-Z]\w*\.[\w<>`.\[\]|,]+\([^)\n]*\)(?: in \S+:line \d+)?[ \t\r]*$|\) in \S+\.(?:cs|fs|vb):line \d+",
        r"#\d+ [^\n]{0,200}\.php\(\d+\)|^#\d+ \{main\}|#\d+ \[internal function\]",
        r"\bin \S+\.php(?: on line |:)\d+|\bin\s+\S+\.php\s+on line\s+\d+|Stack trace:\s*#\d",
        r"goroutine \d+ \[\w+|\w\.go:\d+(?=:|\s|$)",
        r"\w\.rb:\d+:in ",
        r"\w\.rs:\d+:\d+",
        r"\bat \S+\.p[lm] line \d+",
        r"\) (?:lib|deps)/\S+\.exs?:\d+: ",
    )
)  # fmt: skip


def library_texts(text: str) -> Iterator[str]:
    """What in a text a library or a runtime said, once for each phrase."""
    return (match.group().strip() for words in _LIBRARY if (match := words.search(text)))


def traces(text: str) -> Iterator[str]:
    """Lines of a stack trace in a text, once for each runtime's way of writing them."""
    return (match.group().strip() for trace in _TRACES if (match := trace.search(text)))
