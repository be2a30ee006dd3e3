"""What mails say, as Python's own library and openpyxl read them."""
import email, email.policy, io, json, sys
import openpyxl

for name in sys.argv[1:]:
    with open(name, "rb") as f:
        m = email.message_from_binary_file(f, policy=email.policy.default)
    defects = [repr(d) for part in m.walk() for d in part.defects]
    html = m.get_body(("html",))
    said = {
        "subject": m["Subject"], "from": m["From"], "to": m["To"], "id": m["Message-ID"], "date": m["Date"].datetime.isoformat(),
        "text": m.get_body(("plain",)).get_content(), "html": html.get_content() if html else "", "defects": defects, "files": {},
    }
    for part in m.iter_attachments():
        book = openpyxl.load_workbook(io.BytesIO(part.get_content()))
        said["files"][part.get_filename()] = {"type": part.get_content_type(), "sheets": book.sheetnames, "first": [str(c.value) for c in next(book.worksheets[0].iter_rows())]}
    print(json.dumps(said))
