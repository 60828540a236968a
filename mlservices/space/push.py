"""A Space's folder to the hub."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2  # which huggingface_hub asks by
from huggingface_hub import HfApi

_SECRET = "ML_API_TOKEN"


class PushError(Exception):
    """One line that says what is in the way."""


def push(
    folder: Path,
    space: str,
    *,
    token: str,
    ml_token: str = "",
    private: bool = False,
    endpoint: str | None = None,
) -> str:
    """Upload the folder to the Space OWNER/NAME, which is made if there is none; answers its address.

    Where `ml_token` is given it becomes the Space's secret, so that it admits nobody else. Files of an
    earlier push that are no more are deleted.
    """
    if not token:
        raise PushError(
            "HF_TOKEN is not set: make a token that may write, at https://huggingface.co/settings/tokens."
        )
    if not (folder / "app.py").is_file():
        raise PushError(f"{folder} is no Space's folder: run `manage.py space build {folder}` first.")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", space):
        raise PushError(f"{space!r} is no name of a Space: use OWNER/NAME.")
    api = HfApi(endpoint=endpoint, token=token)
    try:
        api.create_repo(space, repo_type="space", space_sdk="docker", private=private, exist_ok=True)
        if ml_token:
            api.add_space_secret(space, _SECRET, ml_token)
        api.upload_folder(
            repo_id=space,
            repo_type="space",
            folder_path=folder,
            commit_message="VoiceForge ML service",
            ignore_patterns=["**/__pycache__/**", "environments/**"],
            delete_patterns="*",
        )
    except (httpx2.HTTPError, OSError) as error:
        raise PushError(f"{space} could not be pushed: {_reason(error, token)}") from error
    return f"https://{re.sub('[^a-z0-9]+', '-', space.lower())}.hf.space"


def _reason(error: Exception, token: str) -> str:
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if status in (401, 403):
        return "the hub refuses HF_TOKEN: it needs the right to write there."
    if isinstance(error, httpx2.TransportError):
        return f"the hub cannot be reached ({error}). Check the network, then push again."
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].replace(token, "HF_TOKEN")[:300]
