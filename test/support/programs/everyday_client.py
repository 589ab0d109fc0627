"""Calls the everyday API at URL with a library of Python, and prints as JSON what it got.

everyday_client.py requests|httpx|urllib URL
"""

import base64
import hashlib
import json
import sys
import urllib.error
import urllib.request

library, origin = sys.argv[1:]
LARGE = bytes(range(256)) * 12_000
LOGIN = ("ada", "secret")
seen = []


def saw(what, status, content):
    text = content.decode().replace(origin, "<origin>")
    seen.append([what, status, text if len(text) < 1_000 else hashlib.sha256(content).hexdigest()])


def parts():
    for at in range(0, len(LARGE), 100_000):
        yield LARGE[at : at + 100_000]


def with_requests():
    import requests

    with requests.Session() as session:
        def send(what, method, path, **rest):
            response = session.request(method, origin + path, timeout=60, **rest)
            saw(what, response.status_code, response.content)
            return response

        send("get", "GET", "/json?a=1&b=%2F")
        send("login", "GET", "/json", auth=LOGIN)
        head = send("head", "HEAD", "/json")
        seen.append(["length", head.headers["content-length"], head.headers["etag"]])
        send("json", "POST", "/digest", json={"name": "Zoë"})
        send("upload", "PUT", "/digest", data=LARGE)
        # Before, a proxy gets no credentials with a body of unknown length.
        if tuple(map(int, requests.__version__.split(".")[:2])) >= (2, 29):
            send("chunks", "POST", "/digest", data=parts())
        send("delete", "DELETE", "/digest")
        send("missing", "GET", "/missing")
        moved = send("moved", "GET", "/moved")
        seen.append(["history", len(moved.history), moved.url.replace(origin, "<origin>")])
        with session.get(origin + "/events", stream=True, timeout=60) as events:
            lines = events.iter_lines()
            seen.append(["event", next(lines).decode()])
            session.get(origin + "/next", timeout=60)
            seen.append(["rest", [line.decode() for line in lines]])


def with_httpx():
    import httpx

    with httpx.Client(timeout=60, follow_redirects=True) as client:
        def send(what, method, path, **rest):
            response = client.request(method, origin + path, **rest)
            saw(what, response.status_code, response.content)
            return response

        send("get", "GET", "/json?a=1&b=%2F")
        send("login", "GET", "/json", auth=LOGIN)
        head = send("head", "HEAD", "/json")
        seen.append(["length", head.headers["content-length"], head.headers["etag"]])
        send("json", "POST", "/digest", json={"name": "Zoë"})
        send("upload", "PUT", "/digest", content=LARGE)
        send("chunks", "POST", "/digest", content=parts())
        send("delete", "DELETE", "/digest")
        send("missing", "GET", "/missing")
        moved = send("moved", "GET", "/moved")
        seen.append(["history", len(moved.history), str(moved.url).replace(origin, "<origin>")])
        with client.stream("GET", origin + "/events") as events:
            lines = events.iter_lines()
            seen.append(["event", next(lines)])
            client.get(origin + "/next")
            seen.append(["rest", list(lines)])


def with_urllib():
    def send(what, method, path, data=None, headers={}):
        request = urllib.request.Request(origin + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                saw(what, response.status, response.read())
        except urllib.error.HTTPError as error:
            saw(what, error.code, error.read())

    login = base64.b64encode(":".join(LOGIN).encode()).decode()
    send("get", "GET", "/json?a=1&b=%2F")
    send("login", "GET", "/json", headers={"Authorization": "Basic " + login})
    send("head", "HEAD", "/json")
    send("upload", "PUT", "/digest", LARGE)
    send("chunks", "POST", "/digest", parts())
    send("delete", "DELETE", "/digest")
    send("missing", "GET", "/missing")
    send("moved", "GET", "/moved")
    with urllib.request.urlopen(origin + "/events", timeout=60) as events:
        seen.append(["event", events.readline().decode()])
        send("next", "GET", "/next")
        seen.append(["rest", events.read().decode()])


{"requests": with_requests, "httpx": with_httpx, "urllib": with_urllib}[library]()
print(json.dumps(seen))
