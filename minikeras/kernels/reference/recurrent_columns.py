"""Recurrences whose tasks share the units: the same numbers."""

from .recurrent_gru import gru_after
from .recurrent_lstm import lstm
from .recurrent_simple import simple_rnn


def lstm_columns(turns, yields, *arguments):
    lstm(*arguments)


def gru_columns(turns, yields, *arguments):
    gru_after(*arguments)


def simple_rnn_columns(turns, yields, *arguments):
    simple_rnn(*arguments)
