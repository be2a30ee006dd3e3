# Runs the queries on its input, one a line, and prints their rows and an empty line.
import sys

from chdb import _chdb

connection = _chdb.connect(":memory:")
for query in sys.stdin:
    print(connection.query(query, "TabSeparated").data())
    sys.stdout.flush()
