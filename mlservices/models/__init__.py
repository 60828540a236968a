"""The rows of this app, a file for each subject."""

from .checks import ServiceAlert, ServiceCheck, ServiceHour, ServiceState
from .usage import Price, UsageDay, UsageRow

__all__ = ["Price", "ServiceAlert", "ServiceCheck", "ServiceHour", "ServiceState", "UsageDay", "UsageRow"]
