from .usage import Price, UsageDay, UsageRow

__all__ = ["Price", "UsageDay", "UsageRow"]
