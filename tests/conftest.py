"""Fixtures for every room: reference data, golden values, random numbers, fresh names and seeds."""

import os
from pathlib import Path

import numpy as np
import pytest

from minikeras.core import names, seeds

GOLDEN = Path(__file__).parent / "golden"
VARIABLE = "MINIKERAS_TEST_DATA"


def reference_folder(*parts: str) -> Path | None:
    """The folder of reference data with `parts` appended; None when the variable is not set."""
    base = os.environ.get(VARIABLE)
    return Path(base).joinpath(*parts) if base else None


def _required(*parts: str) -> Path:
    folder = reference_folder(*parts)
    if folder is None:
        pytest.skip(f"{VARIABLE} is not set: it names the folder that holds {'/'.join(parts)}")
    if not folder.is_dir():
        pytest.fail(f"{VARIABLE} is set, but there is no folder {folder}")
    return folder


@pytest.fixture(scope="session")
def keras_fixtures() -> Path:
    """Files and numbers written by Keras 3.15: models, optimizers, vectors, fit histories."""
    return _required("fixtures", "keras315")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Real data sets: mnist.npz and others."""
    return _required("data")


@pytest.fixture(scope="session")
def golden() -> Path:
    """The part of the Keras fixtures that is in the repository, laid out like the whole."""
    return GOLDEN


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _same_start():
    """Each test counts names from the start and draws from the same seed."""
    names.reset_names()
    seeds.set_random_seed(0)
