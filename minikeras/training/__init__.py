"""Compile, step, loop: training of anything that looks like a model."""
