"""Benches run in a folder and on ports of their own, beside whatever runs on this machine already."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from tests.site.ports import free_port

if "VOICEFORGE_BENCH" not in os.environ:  # a server that a bench has started finds it set
    folder = tempfile.mkdtemp(prefix="voiceforge-bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ |= {
        "VOICEFORGE_BENCH": folder,
        "DJANGO_SETTINGS_MODULE": "voiceforge_site.settings",
        "ENV_FILE": "",
        "VAR_DIR": folder,
        "HF_HOME": str(Path(__file__).resolve().parents[2] / "var" / "models"),
        "PORT": str(free_port()),
        "TWILIO_API_URL": "http://127.0.0.1:9",  # nobody is there: no bench reaches a carrier
    }
