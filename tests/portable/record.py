"""Run the programs on real Keras and keep the numbers.

    KERAS_BACKEND=tensorflow python -m tests.portable.record
    KERAS_BACKEND=jax python -m tests.portable.record

TensorFlow has the tape, JAX the stateless calls: each run replaces the numbers of its programs.
"""

import os
from pathlib import Path

import numpy as np

PATH = Path(__file__).parent / "reference.npz"


def record():
    import keras

    from tests.portable.programs import PROGRAMS

    with_jax = os.environ["KERAS_BACKEND"] == "jax"
    chosen = {n: p for n, p in PROGRAMS.items() if n.startswith("stateless") == with_jax}
    before = dict(np.load(PATH)) if PATH.exists() else {}
    found = {key: value for key, value in before.items() if key.partition("/")[0] not in chosen}
    for name, program in chosen.items():
        for key, value in program(keras).items():
            found[f"{name}/{key}"] = np.asarray(value, "float64").astype("float32")
    np.savez_compressed(PATH, **found)
    print(f"{len(chosen)} programs, {len(found)} arrays in all, Keras {keras.__version__}: {PATH}")


if __name__ == "__main__":
    record()
