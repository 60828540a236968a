"""What the worker does for the trail."""

from __future__ import annotations

import logging

from .chain import DoesNotFit, verify_news

logger = logging.getLogger(__name__)


def look_through() -> str:
    """Link what a crash left without a link, and see whether what is new fits; the status tells of it too."""
    if problem := verify_news():
        logger.error("The audit trail was tampered with: %s", DoesNotFit.of(problem))
    return problem or "fits"
