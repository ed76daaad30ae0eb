"""Standard error pages of frameworks and servers, as they send them when nothing was written, and pages that somebody wrote."""

# ruff: noqa: E501 - pages stand here as they are sent

from __future__ import annotations

import json

from payproof.contracts.entries import Response


def html(status: int, body: str) -> Response:
    return Response(status=status, headers=(("Content-Type", "text/html; charset=utf-8"),), body=body)


def text(status: int, body: str) -> Response:
    return Response(status=status, headers=(("Content-Type", "text/plain"),), body=body)


def api(status: int, body: object) -> Response:
    return Response(status=status, headers=(("Content-Type", "application/json"),), body=json.dumps(body))


_WEBRICK = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.0//EN"><HTML><HEAD><TITLE>Internal Server Error</TITLE></HEAD><BODY>
<H1>Internal Server Error</H1>{}<HR><ADDRESS>WEBrick/1.8.1 (Ruby/3.1.2/2022-04-12) at 127.0.0.1:9292</ADDRESS></BODY></HTML>"""
_APACHE = """<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN"><html><head><title>500 Internal Server Error</title></head><body>
<h1>Internal Server Error</h1><p>The server encountered an internal error or misconfiguration and was unable to complete your
request.</p><p>Please contact the server administrator at webmaster@localhost to inform them of the time this error occurred,
and the actions you performed just before this error.</p><p>More information about this error may be available in the server
error log.</p><hr><address>Apache/2.4.57 (Debian) Server at localhost Port 80</address></body></html>"""
_TOMCAT = """<html><head><title>HTTP Status 500</title></head><body><h1>HTTP Status 500 – Internal Server Error</h1><hr/>
<p><b>Type</b> Exception Report</p><p><b>Description</b> The server encountered an unexpected condition that prevented it from
fulfilling the request.</p><p><b>Note</b> The full stack trace of the root cause is available in the server logs.</p><hr/>
<h3>Apache Tomcat/9.0.43 (Debian)</h3></body></html>"""
_JETTY = """<html><body><h2>HTTP ERROR 500 java.lang.NullPointerException</h2><table><tr><th>URI:</th><td>/pay</td></tr><tr>
<th>STATUS:</th><td>500</td></tr><tr><th>MESSAGE:</th><td>java.lang.NullPointerException</td></tr><tr><th>SERVLET:</th>
<td>shop.PayServlet-4f2410ac</td></tr></table><hr/>Powered by Jetty:// 9.4.50<hr/></body></html>"""
_ASPNET = """<body><h1 class="text-danger">Error.</h1><h2>An error occurred while processing your request.</h2><p><strong>Request
ID:</strong> <code>00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00</code></p><h3>Development Mode</h3><p>Swapping to the
<strong>Development</strong> environment displays detailed information about the error that occurred.</p><p><strong>The
Development environment shouldn't be enabled for deployed applications.</strong> It can result in displaying sensitive information
from exceptions to end users. For local debugging, enable the <strong>Development</strong> environment by setting the
<strong>ASPNETCORE_ENVIRONMENT</strong> environment variable to <strong>Development</strong> and restarting the app.</p></body>"""

CRASHES = {
    "php-type-error": text(500, "TypeError: pay(): Argument #1 ($x) must be of type array\nStack trace:\n#0 {main}"),
    "php-fatal": html(
        500,
        "<br />\n<b>Fatal error</b>:  Uncaught Error: Call to a member function foo() on null in /srv/p.php:6\nStack trace:\n#0 {main}\n"
        "  thrown in <b>/srv/p.php</b> on line <b>6</b><br />",
    ),
    "php-warning": html(
        500, "<br />\n<b>Warning</b>:  Undefined array key 3 in <b>/srv/shop/p.php</b> on line <b>7</b><br />"
    ),
    "php-trace-only": text(500, "Our shop met an unexpected situation\n#0 {main}"),
    "webrick": html(500, _WEBRICK.format("\nConnection refused - connect(2) for 127.0.0.1:1 (Errno::ECONNREFUSED)")),
    "webrick-method": html(500, _WEBRICK.format("\nundefined method `[]&#39; for nil:NilClass")),
    "webrick-own-words": html(500, _WEBRICK.format("\nthe gateway could not be reached (Errno::ECONNREFUSED)")),
    "bare-500": Response(status=500),
    "bare-502": Response(status=502),
    "rails": html(
        500,
        "<h1>We’re sorry, but something went wrong.</h1><p>If you are the application owner check the logs for more information.</p>",
    ),
    "rails-old": html(500, "<h1>We're sorry, but something went wrong (500)</h1>"),
    "rails-json": api(500, {"status": 500, "error": "Internal Server Error"}),
    "puma": text(500, "An unhandled lowlevel error occurred. The application logs may have details.\n"),
    "sinatra": html(500, "<h1>Internal Server Error</h1>"),
    "django": html(500, "<!doctype html><html><head><title>Server Error (500)</title></head><body><h1>Server Error (500)</h1><p></p></body></html>"),
    "django-debug": html(500, "<h1>KeyError at /checkout</h1><pre>'data'</pre><table><tr><th>Request Method:</th><td>POST</td></tr></table>"),
    "flask": html(
        500,
        "<!doctype html><title>500 Internal Server Error</title><h1>Internal Server Error</h1><p>The server encountered an internal error "
        "and was unable to complete your request. Either the server is overloaded or there is an error in the application.</p>",
    ),
    "fastapi": api(500, {"detail": "Internal Server Error"}),
    "starlette": text(500, "Internal Server Error"),
    "aiohttp": text(500, "500 Internal Server Error\n\nServer got itself in trouble"),
    "tornado": html(500, "<html><title>500: Internal Server Error</title><body>500: Internal Server Error</body></html>"),
    "bottle": html(500, "<h1>Error: 500 Internal Server Error</h1><p>Sorry, the requested URL <tt>&#039;http://x/pay&#039;</tt> caused an error:</p><pre>Internal Server Error</pre>"),
    "gunicorn": html(500, "<html><head><title>Internal Server Error</title></head><body><h1><p>Internal Server Error</p></h1></body></html>"),
    "uwsgi": text(500, "--- no python application found, check your startup logs for errors ---"),
    "laravel": html(500, "<div>500</div><div>Server Error</div>"),
    "laravel-old": html(500, "<h1>Whoops, looks like something went wrong.</h1>"),
    "laravel-json": api(500, {"message": "Server Error"}),
    "symfony": html(
        500,
        '<h1>Oops! An Error Occurred</h1><h2>The server returned a "500 Internal Server Error".</h2><p>Something is broken. Please let us '
        "know what you were doing when this error occurred. We will fix it as soon as possible. Sorry for any inconvenience caused.</p>",
    ),
    "slim": html(500, "<h1>Slim Application Error</h1><p>A website error has occurred. Sorry for the temporary inconvenience.</p>"),
    "wordpress": html(500, "<p>There has been a critical error on this website.</p><p><a href='https://wordpress.org'>Learn more about troubleshooting WordPress.</a></p>"),
    "drupal": text(500, "The website encountered an unexpected error. Please try again later."),
    "spring": html(
        500,
        "<html><body><h1>Whitelabel Error Page</h1><p>This application has no explicit mapping for /error, so you are seeing this as a "
        "fallback.</p><div>Fri Nov 20 10:00:00 UTC 2026</div><div>There was an unexpected error (type=Internal Server Error, status=500).</div></body></html>",
    ),
    "spring-json": api(500, {"timestamp": "2026-11-20T10:00:00.000+00:00", "status": 500, "error": "Internal Server Error", "path": "/checkout"}),
    "spring-json-old": api(500, {"timestamp": 1700000000000, "status": 500, "error": "Internal Server Error", "message": "No message available", "path": "/checkout"}),
    "webflux": api(500, {"timestamp": "2026-11-20T10:00:00.000+00:00", "path": "/pay", "status": 500, "error": "Internal Server Error", "requestId": "a1b2c3d4-17"}),
    "spring-problem": api(500, {"type": "about:blank", "title": "Internal Server Error", "status": 500, "instance": "/checkout"}),
    "tomcat": html(500, _TOMCAT),
    "jetty": html(500, _JETTY),
    "dropwizard": api(500, {"code": 500, "message": "There was an error processing your request. It has been logged (ID 9a8f7c6d5e4b3a21)."}),
    "express": html(500, "<!DOCTYPE html><html><body><pre>Internal Server Error</pre></body></html>"),
    "express-debug": html(500, "<pre>Error: boom<br> &nbsp; &nbsp;at pay (/srv/shop/app.js:31:11)<br> &nbsp; &nbsp;at next (/srv/x.js:9:1)</pre>"),
    "fastify": api(500, {"statusCode": 500, "error": "Internal Server Error", "message": "fetch failed"}),
    "fastify-code": api(500, {"statusCode": 500, "code": "UND_ERR_SOCKET", "error": "Internal Server Error", "message": "other side closed"}),
    "fastify-own": api(500, {"statusCode": 500, "error": "Internal Server Error", "message": "Cannot read properties of undefined (reading 'data')"}),
    "koa": text(500, "Internal Server Error"),
    "nest": api(500, {"statusCode": 500, "message": "Internal server error"}),
    "hapi": api(500, {"statusCode": 500, "error": "Internal Server Error", "message": "An internal server error occurred"}),
    "next": html(500, "<div><h1>500</h1><div><h2>Internal Server Error.</h2></div></div>"),
    "next-digest": html(
        500,
        "<h2>Application error: a server-side exception has occurred (see the server logs for more information).</h2><p>Digest: 1478592017</p>",
    ),
    "sveltekit": html(500, "<h1>500</h1><p>Internal Error</p>"),
    "aspnet": html(500, _ASPNET),
    "aspnet-problem": api(500, {"type": "https://tools.ietf.org/html/rfc9110#section-15.6.1", "title": "An error occurred while processing your request.", "status": 500, "traceId": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}),
    "go-echo": api(500, {"message": "Internal Server Error"}),
    "phoenix": api(500, {"errors": {"detail": "Internal Server Error"}}),
    "apache": html(500, _APACHE),
    "apache-502": html(502, "<h1>Proxy Error</h1><p>The proxy server received an invalid response from an upstream server.<br />The proxy server could not handle the request</p><p>Reason: <strong>Error reading from remote server</strong></p>"),
    "nginx": html(502, "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx/1.22.1</center></body></html>"),
    "nginx-50x": html(500, "<h1>An error occurred.</h1><p>Sorry, the page you are looking for is currently unavailable.<br/>Please try again later.</p><p>If you are the system administrator of this resource then you should check the error log for details.</p><p><em>Faithfully yours, nginx.</em></p>"),
    "haproxy": html(502, "<html><body><h1>502 Bad Gateway</h1>\nThe server returned an invalid or incomplete response.\n</body></html>"),
    "haproxy-504": html(504, "<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.\n</body></html>"),
    "caddy": Response(status=502, headers=(("Server", "Caddy"),)),
    "empty-json": api(500, {}),
    "null-json": api(500, {"error": None, "message": None}),
    "library-in-own-page": html(502, "<h1>Sorry</h1><p>We could not take your payment. (Request failed with status code 403)</p>"),
}  # fmt: skip

FOR_PEOPLE = {
    "german-short": html(500, "<p>Etwas ist schiefgelaufen. Bitte versuchen Sie es später noch einmal. Ref 8812</p>"),
    "german": text(502, "Zahlung gerade nicht möglich."),
    "english": html(500, "<h1>Something went wrong</h1><p>It is our fault. Please try again.</p>"),
    "english-short": text(500, "Please retry"),
    "english-error": html(500, "<h1>Error</h1><p>An error occurred. Please try again later.</p>"),
    "english-with-standard-heading": html(500, "<h1>Internal Server Error</h1><p>Your card was not charged. Call us: 555-1234.</p>"),
    "rails-like": html(500, "<h1>We're sorry, but something went wrong.</h1><p>You have not paid. Your order A-17 is kept for a day.</p>"),
    "aspnet-like": html(500, "<p>An error occurred while processing your request. We keep order A-17 for you.</p>"),
    "french": html(500, "<p>Désolé, le paiement est indisponible pour le moment.</p>"),
    "spanish": text(500, "Algo salió mal. Inténtelo más tarde."),
    "portuguese": html(502, "<p>Não foi possível pagar. Tente mais tarde.</p>"),
    "italian": html(502, "<p>Qualcosa è andato storto.</p>"),
    "japanese": html(502, "<p>エラーが発生しました。</p>"),
    "chinese": html(500, "<p>抱歉，出错了</p>"),
    "chinese-with-number": html(500, "<p>订单1001支付失败</p>"),
    "korean": html(500, "<p>결제할 수 없습니다</p>"),
    "arabic": html(500, "<p>حدث خطأ ما. حاول مرة أخرى.</p>"),
    "russian": html(500, "<p>Что-то пошло не так.</p>"),
    "json-code": api(502, {"error": "payment_unavailable"}),
    "json-short-code": api(500, {"error": "gateway_down", "ref": "8812"}),
    "json-sentence": api(500, {"message": "Payments are not possible right now", "reference": "A-17"}),
    "json-beside-status": api(500, {"statusCode": 500, "error": "Internal Server Error", "message": "We could not start your payment."}),
}  # fmt: skip
