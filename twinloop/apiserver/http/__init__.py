"""The server's edge: sockets, HTTP, the process around them. The only part of `twinloop.apiserver` that does input or output.

Belongs here: TLS, tokens, headers, limits, chunks and compression; timers that wake the server when something is due;
signals, the kubeconfig and the control endpoint of a running process.

Never belongs here: what a request means. `edge.py` hands a `Request` to `ApiServer.handle`, which neither waits nor
raises, and writes what comes back; nothing above this package knows that there is a network.

A process's way: `process.py` builds an `ApiServer`, listens, writes the kubeconfig and waits for a signal; `edge.py`
serves requests, `watches.py` the streams among them, `ticker.py` gives the controllers their time. `local.py` runs all
of that for a test.
"""
