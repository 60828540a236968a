"""The suite of this folder, held against the voices whose libraries live in environments of their own."""

import os
import subprocess
from pathlib import Path

import pytest

from mlservices.catalog import MODELS
from mlservices.environments import is_installed, python_of
from tests.mlservices.engines.conftest import ENVIRONMENT, TINY

ROOT = Path(__file__).resolve().parents[3]
VAR = ROOT / "var"  # where they stay from run to run
SUITE = "tests/mlservices/engines/test_tts.py"


def model_of(environment):
    return next(model for model in MODELS if model.environment == environment)


@pytest.mark.skipif(bool(ENVIRONMENT), reason="in one already")
@pytest.mark.parametrize("environment", sorted({environment for _, _, environment in TINY.values()} - {""}))
def test_voices_with_libraries_of_their_own_are_like_the_others(environment):
    model = model_of(environment)
    if not is_installed(model, VAR):
        pytest.skip(f"needs `manage.py models install {model.id}`")
    done = subprocess.run(
        [python_of(environment, VAR), *["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"], SUITE],
        cwd=ROOT,
        env=os.environ | {"ENGINE_ENVIRONMENT": environment, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "." in done.stdout.splitlines()[0], "nothing was tested"
