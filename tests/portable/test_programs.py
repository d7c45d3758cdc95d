"""Programs for Keras run unchanged and end in Keras's numbers."""

import numpy as np
import pytest

import minikeras
from tests.portable.programs import PROGRAMS
from tests.portable.record import PATH

REFERENCE = np.load(PATH)


def test_every_program_has_recorded_numbers():
    assert {key.partition("/")[0] for key in REFERENCE} == set(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_gives_the_numbers_of_keras(name):
    found = PROGRAMS[name](minikeras)
    prefix = f"{name}/"
    assert {prefix + key for key in found} == {k for k in REFERENCE if k.startswith(prefix)}
    for key, value in found.items():
        expected = REFERENCE[prefix + key]
        np.testing.assert_allclose(value, expected, rtol=2e-4, atol=2e-5, err_msg=key)
