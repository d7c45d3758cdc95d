"""Naive numpy twins of the compiled kernels: the oracle of the tests, and what runs without Numba."""
