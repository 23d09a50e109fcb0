"""How much the proxy takes at once: more than any API server does, so that the server is always the one to refuse."""

# A body: the API server's limit is 3 MiB.
BODY = 64 * 1024 * 1024

# A header line or the request line: Go's limit for all of them together is 1 MiB.
HEADER = 1024 * 1024
