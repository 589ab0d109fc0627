"""Docker's client for Python: attaches to a container, sends its standard input, and prints all that comes back.

Its arguments are the address of the engine and the fields to add to every request, as JSON.
"""

import json
import socket
import sys

import docker

url, fields = sys.argv[1], json.loads(sys.argv[2])
client = docker.APIClient(base_url=url, version="1.43", timeout=60)
client.headers.update(fields)
# The connection below the file that the library returns.
connection = client.attach_socket("x", {"stdin": 1, "stdout": 1, "stream": 1})._sock
connection.sendall(b"a line of input\n")
connection.shutdown(socket.SHUT_WR)
received = b""
while chunk := connection.recv(65536):
    received += chunk
print(json.dumps({"bytes": len(received), "last": received[-20:].decode()}))
