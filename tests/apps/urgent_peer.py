# SPDX-License-Identifier: Apache-2.0
"""The other end of tests/programs/urgent.c: prints its port, sends "abcXdef" with an urgent X, and shows what comes."""
import select
import socket
import time

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
client, _ = listener.accept()
assert client.recv(2, socket.MSG_WAITALL) == b"go"
client.sendall(b"abc")
time.sleep(0.2)
client.send(b"X", socket.MSG_OOB)
time.sleep(0.2)
client.sendall(b"def")
_, _, urgent = select.select([], [], [client], 20)
print("urgent", client.recv(1, socket.MSG_OOB).decode() if urgent else "-")
data = b""
while part := client.recv(100):
    data += part
print("data", data.decode())
