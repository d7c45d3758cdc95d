"""Recorded step programs: buffers bound once by liveness, then replayed."""

from .program import Program, Recording
from .recorder import Recorder
from .replay import Replayed

__all__ = ["Program", "Recorder", "Recording", "Replayed"]
