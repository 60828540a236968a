"""The rows of this app, a file for each subject."""

from .checks import ServiceAlert, ServiceCheck, ServiceHour, ServiceState
from .space import SpaceAwake
from .usage import Price, UsageDay, UsageRow
from .voices import FavouriteVoice

__all__ = [
    "FavouriteVoice",
    "Price",
    "ServiceAlert",
    "ServiceCheck",
    "ServiceHour",
    "ServiceState",
    "SpaceAwake",
    "UsageDay",
    "UsageRow",
]
