"""Writes the files of testdata/parquet: one table of events, as pyarrow, DuckDB and
ClickHouse write it with the options that change how its pages are.

    pip install pyarrow==26.0.1 duckdb==2.0.1 chdb-core==26.9.0 && python write.py
"""
import datetime, os, pathlib, random
import duckdb, pyarrow as pa, pyarrow.parquet as pq
from chdb import _chdb

out = pathlib.Path(__file__).parent / "parquet"
random.seed(17)
rows = 90
start = datetime.datetime(2002, 10, 3, 18, tzinfo=datetime.timezone.utc)


def some(share, make):
    return [make(i) if random.random() < share else None for i in range(rows)]


times = [start + datetime.timedelta(seconds=random.randrange(86400)) for _ in range(rows)]
panel = [random.random() < 0.2 for _ in range(rows)]
words = {
    "market": ["FR"] * rows,
    "service": some(0.95, lambda i: random.choice(["msn", "aim", "icq", "nope"])),
    "location": [random.choice(["home", "home", "work", "moon", ""]) for _ in range(rows)],
    "kind": [random.choice(["use", "presence", "login"]) for _ in range(rows)],
    "panel": ["nn" if p else None for p in panel],
    "panelist": ["P%d" % (i % 7) if p else None for i, p in enumerate(panel)],
    "account": [None if p else random.choice(["", "ann b", "12-34", "é", *("someone.%d@example.org" % n for n in range(25))]) for p in panel],
    "platform": some(0.3, lambda i: "phone"),
    "evidence": some(0.9, lambda i: "seen %d " % i * (1 + i % 5)),
}


def table(unit="ms", text=pa.string(), null=True, zone="UTC"):
    stamp = pa.timestamp(unit, zone)
    columns = {"colour": pa.array(range(rows))}
    columns["time"] = pa.array(times, pa.timestamp("us", "UTC")).cast(pa.timestamp(unit, "UTC"), safe=False).cast(stamp)
    columns["until"] = pa.array([t + datetime.timedelta(minutes=5) if i % 3 == 0 else None for i, t in enumerate(times)], pa.timestamp("us", "UTC")).cast(stamp, safe=False)
    for name, values in words.items():
        columns[name] = pa.array(values, pa.string()).cast(text)
    made = pa.table(columns)
    if null:
        return made
    made = made.filter(pa.compute.and_(pa.compute.is_valid(made["account"]), pa.compute.is_valid(made["service"])))
    full = ["time", "market", "service", "location", "kind", "account"]
    return made.select(full).cast(pa.schema([made.schema.field(name).with_nullable(False) for name in full]))


def write(name, made=None, **options):
    pq.write_table(made if made is not None else table(), out / (name + ".parquet"), **options)


write("snappy")
write("zstd-pages2", compression="zstd", data_page_version="2.0")
write("none-pages2-groups", compression="none", data_page_version="2.0", row_group_size=25)
write("gzip-plain", compression="gzip", use_dictionary=False)
write("plain-pages2", use_dictionary=False, data_page_version="2.0", compression="none")
write("small-pages", data_page_size=64, write_batch_size=8)
write("half-dictionary", dictionary_pagesize_limit=64, data_page_size=64, write_batch_size=8)
write("half-dictionary-pages2", dictionary_pagesize_limit=64, data_page_size=64, write_batch_size=8, data_page_version="2.0", row_group_size=40)
write("int96", use_deprecated_int96_timestamps=True)
write("seconds", table("s"))
write("nanoseconds", table("ns", zone=None))
write("deltas", use_dictionary=False, column_encoding={"time": "DELTA_BINARY_PACKED", "account": "DELTA_LENGTH_BYTE_ARRAY"})
write("delta-texts", use_dictionary=False, column_encoding={"evidence": "DELTA_BYTE_ARRAY"})
write("split-times", use_dictionary=False, column_encoding={"time": "BYTE_STREAM_SPLIT"})
write("lz4", compression="lz4")
write("brotli", compression="brotli")
write("large", table(text=pa.large_string()))
write("binary", table(text=pa.binary()))
write("dictionaries", table(text=pa.dictionary(pa.int8(), pa.string())))
write("required", table(null=False))
write("checked", write_page_checksum=True, write_page_index=True)
write("empty", table().slice(0, 0))
text = table()
write("times-as-text", text.set_column(1, "time", pa.array([t.isoformat() for t in times])))
write("lists", text.set_column(text.schema.get_field_index("account"), "account", pa.array([[w] for w in words["account"]])))
write("numbers", text.set_column(text.schema.get_field_index("account"), "account", pa.array(range(rows))))
write("nulls", text.set_column(text.schema.get_field_index("platform"), "platform", pa.nulls(rows)))
events = table("us")
duckdb.sql(f"copy events to '{out}/duckdb.parquet' (format parquet)")
duckdb.sql(f"copy events to '{out}/duckdb-2.parquet' (format parquet, parquet_version v2, codec zstd, row_group_size 2048)")
snappy = out / "snappy.parquet"
_chdb.connect(":memory:").query(f"insert into function file('{out}/clickhouse.parquet', Parquet) select * from file('{snappy}', Parquet)")
