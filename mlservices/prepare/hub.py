"""Checkpoints from the Hugging Face hub: one commit of each repository, each file as the hub says it must be.

A branch is resolved to its commit once an attempt, so that its files belong together. Files are fetched by
plain HTTP, which can go on in the middle of a file; the hub's own client begins a broken one anew.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from huggingface_hub import HfApi, constants, get_session, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, HTTPError
from huggingface_hub.hf_api import RepoSibling
from huggingface_hub.utils import build_hf_headers, filter_repo_objects, hf_raise_for_status

from ..catalog import Model, Source
from ..errors import PrepareError
from .refusals import HUB, explained, failed, first_line
from .room import check_room
from .state import Attempt

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each new try; after the last one without a single new byte the attempt is given up."""

_BLOCK_BYTES = 1 << 20
_SPARE_BYTES = 200 * 2**20  # a disk that is full to the last byte stops the database that shares it
_WORTH_ANOTHER_TRY = (408, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Remote:
    """One file of one commit, and what the hub says of it."""

    repository: str
    commit: str
    path: str
    size: int
    sha256: str  # of a large file; empty of one that git keeps itself
    blob_id: str  # git's, which is the SHA-1 of a small file and what git puts before it


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    """The checkpoint as it is; `files` is the one folder that it was fetched into."""
    (fetched,) = files
    for path in fetched.iterdir():
        os.rename(path, folder / path.name)


def fetch(source: Source, attempt: Attempt, disk_bytes: int = 0) -> dict[str, Any]:
    """Fill `attempt.fetched` with the files of a source; answers what the stamp keeps of them.

    What is there from before is checked and kept, and a file that broke off is gone on with. So much must be
    free as is missing, and of `disk_bytes` in all, where that is more. PrepareError says what is in the way;
    what has come until then stays.
    """
    wanted = _wanted(source, attempt.fetched)
    total = sum(remote.size for remote in wanted.values())
    here = _drop_others(attempt.fetched, wanted)
    missing = max(total, disk_bytes) - here
    check_room(attempt.fetched, missing + _SPARE_BYTES if missing > 0 else 0, f"the files of {source.hub}")
    attempt.expects(total, next(iter(wanted.values())).commit)
    fetched: dict[str, Any] = {}
    for target, remote in sorted(wanted.items(), key=lambda each: each[1].size):  # a refusal comes soon
        sha256 = _Transfer(remote, target, attempt).run()
        of_repository = fetched.setdefault(remote.repository, {"commit": remote.commit, "files": {}})
        of_repository["files"][remote.path] = {"size": remote.size, "sha256": sha256}
    return fetched


def _wanted(source: Source, folder: Path) -> dict[Path, Remote]:
    """Which file of the hub goes where."""
    wanted = {folder / file.path: file for file in _listed(source.hub, source.revision, source.patterns)}
    for other in source.also:
        beside = folder / other.hub.rpartition("/")[2]
        files = _listed(other.hub, other.revision, other.patterns)
        wanted |= {beside / file.path: file for file in files}
    return wanted


def _listed(repository: str, revision: str, patterns: tuple[str, ...]) -> list[Remote]:
    """The wanted files of the commit that `revision` is now."""
    try:
        info = HfApi(endpoint=_endpoint()).model_info(
            repository, revision=revision, files_metadata=True, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT
        )
        files = [
            Remote(
                repository,
                str(info.sha),
                file.rfilename,
                _size(file),
                file.lfs.sha256 if file.lfs else "",
                file.blob_id or "",
            )
            for file in filter_repo_objects(
                info.siblings or [], allow_patterns=list(patterns), key=lambda file: file.rfilename
            )
        ]
    except (HTTPError, OSError, ValueError) as error:
        raise explained(error, repository, _endpoint()) from error
    if not files:
        raise failed(repository, f"it holds no {' '.join(patterns)}. Correct the catalogue's entry")
    for file in files:
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts or "\\" in file.path:
            raise failed(
                repository, f"it holds a file {file.path!r} that would lie elsewhere. Tell its owner"
            )
    return files


def _size(file: RepoSibling) -> int:
    if file.size is None or not (file.lfs or file.blob_id):
        raise ValueError("a hub tells the sizes and checksums of files when asked to")
    return file.size


def _endpoint() -> str:
    return constants.ENDPOINT or HUB  # an empty HF_ENDPOINT is taken literally


def _drop_others(folder: Path, wanted: dict[Path, Remote]) -> int:
    """Delete what an earlier attempt has fetched of other commits; answers how many bytes are here."""
    folder.mkdir(exist_ok=True)
    keep = {*wanted, *(_part(target, remote) for target, remote in wanted.items())}
    here = 0
    for path in folder.rglob("*"):
        if path in keep:
            here += path.stat().st_size
        elif path.is_file():
            path.unlink()
    return here


def _part(target: Path, remote: Remote) -> Path:
    """Where a file grows; named after its content, for another commit may have another file of its name."""
    return target.with_name(f"{target.name}.{(remote.sha256 or remote.blob_id)[:12]}.part")


class _Transfer:
    """One file on its way; `run` once."""

    def __init__(self, remote: Remote, target: Path, attempt: Attempt) -> None:
        self._remote, self._target, self._attempt = remote, target, attempt
        self._part = _part(target, remote)
        self._out: BinaryIO
        self._begin()

    def _begin(self) -> None:
        self._have = 0
        self._sha256 = hashlib.sha256()
        self._git = hashlib.sha1(f"blob {self._remote.size}\0".encode(), usedforsecurity=False)

    def run(self) -> str:
        """Its SHA-256, once it lies at its place whole."""
        self._target.parent.mkdir(parents=True, exist_ok=True)
        if self._target.exists():
            os.replace(self._target, self._part)
        with self._part.open("a+b") as self._out:
            self._take_up()
            if self._have >= self._remote.size and not self._is_right():
                self._start_over()
            self._receive_all()
        if not self._is_right():
            self._part.unlink()
            self._attempt.found(-self._have)
            raise failed(
                self._remote.repository,
                f"{self._remote.path} came with a wrong checksum and is deleted. Try again",
            )
        os.replace(self._part, self._target)
        return self._sha256.hexdigest()

    def _is_right(self) -> bool:
        if self._have != self._remote.size:
            return False
        if self._remote.sha256:
            return self._sha256.hexdigest() == self._remote.sha256
        return self._git.hexdigest() == self._remote.blob_id

    def _take_up(self) -> None:
        self._out.seek(0)
        while block := self._out.read(_BLOCK_BYTES):
            self._count(block, self._attempt.found)

    def _count(self, block: bytes, tell: Callable[[int], None]) -> None:
        self._have += len(block)
        self._sha256.update(block)
        if not self._remote.sha256:
            self._git.update(block)
        tell(len(block))

    def _start_over(self) -> None:
        self._attempt.found(-self._have)
        self._out.truncate(0)
        self._begin()

    def _receive_all(self) -> None:
        tries = 0
        while self._have < self._remote.size:
            before = self._have
            error = self._receive_some()
            if error is None:
                continue
            tries = tries + 1 if self._have <= before else 0
            if tries == len(PAUSES):
                raise self._broken(error) from error
            time.sleep(PAUSES[tries])

    def _receive_some(self) -> Exception | None:
        """Ask for what is missing; answers what broke it off, if another try may help."""
        try:
            self._receive()
        except HfHubHTTPError as error:
            if error.response.status_code in _WORTH_ANOTHER_TRY:
                return error
            raise explained(error, self._remote.repository, _endpoint()) from error
        except HTTPError as error:
            return error
        if self._have < self._remote.size:
            return EOFError("it ended early")
        return None

    def _receive(self) -> None:
        remote = self._remote
        url = hf_hub_url(remote.repository, remote.path, revision=remote.commit, endpoint=_endpoint())
        headers = build_hf_headers() | {"Accept-Encoding": "identity"}
        if self._have:
            headers["Range"] = f"bytes={self._have}-"
        with get_session().stream(
            "GET", url, headers=headers, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT, follow_redirects=True
        ) as response:
            hf_raise_for_status(response)
            if self._have and response.status_code != 206:  # all of it comes again
                self._start_over()
            for block in response.iter_bytes():
                self._out.write(block)
                self._count(block, self._attempt.received)
                if self._have > remote.size:
                    return

    def _broken(self, error: Exception) -> PrepareError:
        if self._have == 0:
            return explained(error, self._remote.repository, _endpoint())
        share = f"{self._have * 100 // self._remote.size} %"
        return failed(
            self._remote.repository,
            f"{self._remote.path} broke off at {share} ({first_line(error)}). "
            "Check the network and try again, which goes on from there",
        )
