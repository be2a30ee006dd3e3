"""Has gptables, the UK government's own library, write the tables as a workbook.

Standard input: {"file", "tables": [{"name", "title", "headings", "rows"}]}.
"""
import json
import sys

import gptables
import pandas

given = json.load(sys.stdin)
sheets = {}
for t in given["tables"]:
    frame = pandas.DataFrame(t["rows"], columns=t["headings"], dtype=object)
    sheets[t["name"]] = gptables.GPTable(table=frame, table_name=t["name"], title=t["title"], subtitles=["From JSON"],
                                         scope="All", source="Rollcall", index_columns={})
gptables.write_workbook(filename=given["file"], sheets=sheets, contentsheet_label="Contents",
                        cover=gptables.Cover(title="Cover", intro=["From JSON"], about=["-"], contact=["-"]),
                        notes_table=None)
