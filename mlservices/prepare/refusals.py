"""Why the hub did not give what was asked, in one line with the remedy."""

from __future__ import annotations

from huggingface_hub import get_token
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from ..errors import PrepareError

HUB = "https://huggingface.co"


def explained(error: Exception, repository: str, endpoint: str) -> PrepareError:
    """`error` as the hub's client raised it; what it says of an answer may hold a signed address."""
    if isinstance(error, HfHubHTTPError):
        why = _of_answer(error, repository)
    elif isinstance(error, OfflineModeIsEnabled):
        why = "HFHUB_OFFLINE forbids it. Set it to 0"
    elif isinstance(error, ValueError):
        why = f"{endpoint} does not answer like a hub. Check HF_ENDPOINT"
    else:
        remedy = "the network" if endpoint == HUB else "the network and HF_ENDPOINT"
        why = f"{endpoint} cannot be reached ({first_line(error)}). Check {remedy}"
    return failed(repository, why)


def failed(repository: str, why: str) -> PrepareError:
    return PrepareError(f"{repository} could not be fetched from the hub: {why}.")


def _of_answer(error: HfHubHTTPError, repository: str) -> str:
    status = error.response.status_code
    if isinstance(error, GatedRepoError):  # first: to the client it is one that cannot be found
        return _of_closed(repository)
    if isinstance(error, RevisionNotFoundError):
        return "it has no such revision. Correct the catalogue's entry"
    if isinstance(error, EntryNotFoundError):
        return "a file of it is gone. Try again"
    if isinstance(error, RepositoryNotFoundError) or status == 404:
        remedy = "Let the account of HF_TOKEN see it" if get_token() else "Set HF_TOKEN if it is private"
        return f"there is no such repository, or it is private. {remedy}"
    if status == 401:
        return f"the hub does not accept HF_TOKEN. Set a valid one of {HUB}/settings/tokens, or none"
    if status == 403:
        return f"HF_TOKEN has not the right to read it ({HUB}/settings/tokens). Set one that has"
    return f"the hub answered with status {status}. Try again later"


def _of_closed(repository: str) -> str:
    page = f"{HUB}/{repository}"
    if get_token():
        return f"the account of HF_TOKEN has no access yet. Accept its conditions on {page}, then try again"
    return f"the hub asks who downloads it. Accept its conditions on {page} and set HF_TOKEN"


def first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:120]
