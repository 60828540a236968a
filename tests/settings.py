"""Our settings, apart from what this machine and its developer have set for themselves.

DATABASE_URL and REDIS_URL are kept: `make test-services` runs the same tests on PostgreSQL and Redis.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from django.core.management.utils import get_random_secret_key

ROOT = Path(__file__).resolve().parent.parent
KEPT = ("DATABASE_URL", "REDIS_URL", "LOG_LEVEL")

for line in (ROOT / ".env.example").read_text().splitlines():
    name, is_variable, _ = line.removeprefix("# ").partition("=")
    if is_variable and name not in KEPT:
        os.environ.pop(name, None)
if os.environ.get("REDIS_URL") and (worker := os.environ.get("PYTEST_XDIST_WORKER")):
    # Processes that test at the same time do not hear each other's events.
    os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{worker.removeprefix('gw')}"
os.environ["ENV_FILE"] = ""
os.environ["SESSION_SECRET"] = get_random_secret_key()
os.environ["DEBUG"] = "true"
os.environ["TWILIO_API_URL"] = "http://127.0.0.1:9"  # nobody is there: no test reaches a carrier
os.environ["HF_HOME"] = str(ROOT / "var" / "models")  # prepared once, not for each run
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="voiceforge-tests-")
atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)

from voiceforge_site.settings import *  # noqa: E402, F403
from voiceforge_site.settings import DATABASES, TEMPLATES, VAR_DIR  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # In a file, as in use: threads and servers of their own share it.
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "tests.sqlite3"}
TEMPLATES[0]["DIRS"].append(ROOT / "tests" / "fakes" / "templates")
METRICS_DIR = None  # a test counts for itself
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the slow ones are slow on purpose
