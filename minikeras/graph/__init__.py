"""Symbols: values that are only shapes, and the calls that connect them."""

from .symbol import Node, Symbol, infer

__all__ = ["Node", "Symbol", "infer"]
