import base64
import hashlib
import hmac
import json
import time


def verified(secret: str, headers: dict[str, str], body: bytes) -> object:
    """The message. `body` is as it came, `headers` with names in small letters."""
    uid, sent = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(sent)) > 300:
        raise ValueError("Sent too long ago: somebody may have recorded it.")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = hmac.new(key, f"{uid}.{sent}.".encode() + body, hashlib.sha256).digest()
    for each in headers["webhook-signature"].split():
        version, _, signature = each.partition(",")
        if version == "v1" and hmac.compare_digest(base64.b64decode(signature), expected):
            return json.loads(body)
    raise ValueError("Not signed with our secret.")
