from .space import SpaceAwake
from .usage import Price, UsageDay, UsageRow

__all__ = ["Price", "SpaceAwake", "UsageDay", "UsageRow"]
