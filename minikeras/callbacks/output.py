"""Where callbacks write: one line at a time, without disturbing a bar on the screen."""

from ..core.output import say

__all__ = ["say"]
