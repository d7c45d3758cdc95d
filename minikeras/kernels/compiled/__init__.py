"""Kernels compiled by Numba for the CPU they run on, one file per family."""
