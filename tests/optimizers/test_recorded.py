"""Optimizers walk as Keras's do where its reference files do not reach: see record_walks.py.

ScheduleFreeAdamW, Muon, LossScaleOptimizer and MultiOptimizer are in no such file, nor are averages
and accumulation together with most of the others, nor variables of three axes and of none.
"""

from pathlib import Path

import numpy as np
import pytest

import minikeras as keras
from tests.optimizers.recorded_cases import CASES, walk


@pytest.fixture(scope="module")
def recorded():
    with np.load(Path(__file__).with_name("recorded.npz"), allow_pickle=False) as file:
        return dict(file)


@pytest.mark.parametrize("name", CASES)
def test_variables_and_state_are_those_of_keras(recorded, name):
    found, layout = walk(keras, name)
    assert layout == recorded[f"{name}/layout"].tolist()
    np.testing.assert_allclose(found, recorded[name], rtol=2e-5, atol=2e-6)
