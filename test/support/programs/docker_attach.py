"""Docker's client for Python: attaches to a container or starts a command in one, sends its input, and prints all that comes back.

Its arguments are the address of the engine, the fields to add to every request, as JSON, and `attach` or `exec`.
"""

import json
import socket
import sys

import docker

url, fields, verb = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
client = docker.APIClient(base_url=url, version="1.43", timeout=60)
client.headers.update(fields)
if verb == "attach":
    opened = client.attach_socket("x", {"stdin": 1, "stdout": 1, "stream": 1})
else:
    opened = client.exec_start("x", tty=True, socket=True)
# The connection below the file that the library returns.
connection = opened._sock
connection.sendall(b"a line of input\n")
connection.shutdown(socket.SHUT_WR)
received = b""
while chunk := connection.recv(65536):
    received += chunk
print(json.dumps({"bytes": len(received), "last": received[-20:].decode()}))
