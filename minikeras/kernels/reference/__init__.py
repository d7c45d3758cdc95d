"""Naive numpy twins of the compiled kernels: oracle of the tests, and what runs without Numba."""
