"""The ML service on Ray Serve: replicas on several hosts behind the same HTTP face."""

import os

os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")  # read at import: it would start a cluster unasked

from .cluster import Cluster
from .deployment import RayDeployment

__all__ = ["Cluster", "RayDeployment"]
