"""What is stored about engines, their use and voices, a module each."""

from .usage import Price, UsageDay, UsageRow
from .voices import FavouriteVoice

__all__ = ["FavouriteVoice", "Price", "UsageDay", "UsageRow"]
