"""The ML service on Ray Serve: replicas on several hosts behind the same HTTP face."""

from .cluster import Cluster
from .deployment import RayDeployment

__all__ = ["Cluster", "RayDeployment"]
