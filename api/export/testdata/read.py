"""Reads files with programs that others wrote.

Standard input: a JSON list of {"how", "file", ...}. Standard output: a JSON list
with what each file holds. A float is printed with all its digits.
"""
import csv
import json
import sys

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq


def table(t):
    meta = {k.decode(): v.decode() for k, v in (t.schema.metadata or {}).items()}
    return {"columns": t.column_names, "types": [str(f.type) for f in t.schema], "meta": meta,
            "rows": [list(r.values()) for r in t.to_pylist()]}


def read_csv(file, delimiter, **_):
    with open(file, newline="", encoding="utf-8") as f:
        rows = list(csv.reader(f, delimiter=delimiter, strict=True))
    return {"columns": rows[0], "rows": rows[1:]}


def read_pyarrow_parquet(file, **_):
    return table(pq.read_table(file))


def read_pyarrow_arrow(file, **_):
    with pa.memory_map(file) as source:
        return table(pa.ipc.open_file(source).read_all())


def by_duckdb(query, parameters):
    got = duckdb.execute(query, parameters)
    columns = [d[0] for d in got.description]
    types = [str(d[1]) for d in got.description]
    return {"columns": columns, "types": types, "rows": [list(r) for r in got.fetchall()]}


def read_duckdb_parquet(file, **_):
    return by_duckdb("select * from read_parquet(?)", [file])


def read_duckdb_arrow(file, **_):
    with pa.memory_map(file) as source:
        duckdb.register("arrow", pa.ipc.open_file(source).read_all())
        return by_duckdb("select * from arrow", [])


def whiskers(series):
    """Both ranges of a series' error bars, and what a program that drew them kept of them."""
    if series.errBars is None:
        return None
    return [{"range": side.numRef.f, "values": [float(p.v) for p in side.numRef.numCache.pt] if side.numRef.numCache else []}
            for side in (series.errBars.minus, series.errBars.plus)]


def read_openpyxl(file, **_):
    book = openpyxl.load_workbook(file)
    sheets = []
    for s in book.worksheets:
        sheets.append({
            "name": s.title,
            "rows": [[c.value for c in row] for row in s.iter_rows()],
            "formats": [[c.number_format for c in row] for row in s.iter_rows()],
            "tables": {t.name: t.ref for t in s.tables.values()},
            "headings": [c.name for t in s.tables.values() for c in t.tableColumns],
            "merged": len(s.merged_cells.ranges),
            "freeze": s.freeze_panes,
            "titles": s.print_title_rows,
            "charts": len(s._charts),
            "whiskers": [whiskers(one) for chart in s._charts for one in chart.series],
            "links": [c.hyperlink.location for row in s.iter_rows() for c in row if c.hyperlink],
        })
    return {"sheets": sheets, "title": book.properties.title, "language": book.properties.language}


jobs = json.load(sys.stdin)
json.dump([globals()["read_" + job.pop("how")](**job) for job in jobs], sys.stdout)
