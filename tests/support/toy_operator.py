"""A process with the manners of an operator and no cluster: `python -S toy_operator.py PORT [manner ...]`.

Manners: deaf (SIGTERM does nothing), sour (SIGTERM ends it with status 1), fails (exit 3 at once), confused (exit 2 at once), slow (never ready), child (starts
`sleep 600` first and prints its pid).
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from types import FrameType


def leave(number: int, frame: FrameType | None) -> None:
    print("leaving", flush=True)
    sys.exit(0)


def leave_badly(number: int, frame: FrameType | None) -> None:
    sys.exit(1)


def main(port: int, manners: set[str]) -> None:
    signal.signal(signal.SIGTERM, leave_badly if "sour" in manners else leave)
    if "deaf" in manners:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if manners & {"fails", "confused"}:
        print("this cannot work", flush=True)
        sys.exit(3 if "fails" in manners else 2)
    if "child" in manners:
        child = subprocess.Popen(["sleep", "600"])
        print(f"child {child.pid}", flush=True)
    status = b"503 Wait" if "slow" in manners else b"200 OK"
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), set(sys.argv[2:]))
