"""What is stored about engines and voices, a module each."""

from .voices import FavouriteVoice

__all__ = ["FavouriteVoice"]
