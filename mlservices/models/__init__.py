from .space import SpaceAwake

__all__ = ["SpaceAwake"]
