"""Helpers for sequences (keras.preprocessing.sequence)."""

from ..data.sequences import pad_sequences

__all__ = ["pad_sequences"]
