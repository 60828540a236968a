from __future__ import annotations

from pathlib import Path

from tests import secret_scan

HEX = "".join(("9f2c81d0a7b34e56", "88c1f0d2e3a4b5c6"))  # in one piece this file would be found itself


def test_a_key_that_is_left_in_a_file_is_found(tmp_path: Path) -> None:
    leaks = {
        "ours.py": f'KEY = "vf_sk_{HEX}"\n',
        "twilio.md": f"account AC{HEX}\n",
        "database.env": f"DATABASE_URL=postgres://voice:{HEX}@db.example.org/voice\n",
        "private.pem": "-----BEGIN RSA " + "PRIVATE KEY-----\n",
        "clean.py": 'GREETING = "Good day."\n',
    }
    for name, text in leaks.items():
        (tmp_path / name).write_text(text)
    lines = secret_scan.unknown(secret_scan.scanned(tmp_path, list(leaks)))
    assert {line.partition(":")[0] for line in lines} == set(leaks) - {"clean.py"}
    assert not [line for line in lines if HEX in line]
