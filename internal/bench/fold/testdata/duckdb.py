# Runs the queries on its input, one a line, and prints their rows and an empty line.
import sys

import duckdb

connection = duckdb.connect()
connection.execute("SET enable_progress_bar = false")
for query in sys.stdin:
    for row in connection.execute(query).fetchall():
        print(*row, sep="\t")
    print(flush=True)
