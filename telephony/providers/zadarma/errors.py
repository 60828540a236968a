from __future__ import annotations


class ZadarmaError(Exception):
    """Zadarma did not do what it was asked. Its words are for people, and hold no secret.

    `permanent`: trying again cannot help. `sent`: Zadarma may have acted on it all the same.
    """

    def __init__(self, words: str, *, permanent: bool = False, sent: bool = False) -> None:
        super().__init__(words)
        self.permanent = permanent
        self.sent = sent


class ZadarmaBusy(ZadarmaError):
    """The account has asked too often; `retry_after` is in seconds."""

    def __init__(self, words: str, *, retry_after: float) -> None:
        super().__init__(words)
        self.retry_after = retry_after
