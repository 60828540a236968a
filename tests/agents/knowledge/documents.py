"""Small documents of each kind."""

from __future__ import annotations

import io

from docx import Document


def pdf(*pages: str) -> bytes:
    """One line of text a page; "" is a page without any."""
    parts = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    kids = []
    for text in pages:
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode() if text else b""
        parts.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        resources = b"<< /Font << /F1 %s >> >>" % font
        content = len(parts)
        parts.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources %s /Contents %d 0 R >>"
            % (resources, content)
        )
        kids.append(len(parts))
    parts[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (
        len(kids),
        b" ".join(b"%d 0 R" % k for k in kids),
    )
    out, places = io.BytesIO(), []
    out.write(b"%PDF-1.4\n")
    for number, part in enumerate(parts, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, part))
    begin = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, begin))
    return out.getvalue()


def docx() -> bytes:
    document = Document()
    document.add_heading("Parking", 1)
    document.add_paragraph("You can park behind the building.")
    document.add_heading("Prices", 1)
    document.add_paragraph("A cleaning costs eighty dollars.")
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Crown", "900 dollars"
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


HTML = """<!doctype html><html><head><title>Our  clinic</title><style>p {}</style></head><body>
<nav><ul><li>Home</li></ul></nav><main><h1>Clinic</h1><p>We are by the <b>harbour</b>.</p>
<h2>Hours</h2><ul><li>Monday to Friday, eight to six.</li></ul><script>evil()</script></main></body></html>"""
MARKDOWN = (
    "# Clinic\n\nWe are by the *harbour*.\n\n## Prices\n\n| what | price |\n|---|---|\n| Crown | 900 |\n"
)
CSV = "question;answer\nIs there parking?;Yes, behind the building.\nDo you take cards?;Yes, all of them.\n"
