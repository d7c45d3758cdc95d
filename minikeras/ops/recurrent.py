"""Recurrent networks over whole sequences: `lstm`, `gru` and `simple_rnn`.

The products of all steps with the input weights are one product, and so are the gradients for the
weights; a kernel in between walks through the steps. States do not depend on the inputs of masked
steps, which leave them as they are.
"""

from .recurrent_gru import gru
from .recurrent_lstm import lstm
from .recurrent_parts import MOST_UNITS
from .recurrent_simple import simple_rnn

__all__ = ["MOST_UNITS", "gru", "lstm", "simple_rnn"]
