"""The rows of this app, a file for each subject."""

from .checks import ServiceAlert, ServiceCheck, ServiceHour, ServiceState

__all__ = ["ServiceAlert", "ServiceCheck", "ServiceHour", "ServiceState"]
