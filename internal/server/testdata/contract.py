"""Runs schemathesis on a server: contract.py [argument ...], as its command takes them.

It can't write these media types itself: events are a JSON value a line, an Arrow
stream that it makes up is none.
"""

import json
import sys

import schemathesis
import schemathesis.cli


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.serializer("application/vnd.apache.arrow.stream")
def stream(context, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


sys.exit(schemathesis.cli.schemathesis())
