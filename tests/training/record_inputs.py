"""Records the histories of `input_cases` with Keras: prints the contents of `inputs_recorded.json`.

KERAS_BACKEND=jax python -m tests.training.record_inputs > tests/training/inputs_recorded.json
"""

import json
import warnings

from tests.training.input_cases import CASES

if __name__ == "__main__":
    import keras

    warnings.simplefilter("ignore")
    recorded = {name: case(keras) for name, case in CASES.items()}
    rounded = {
        name: {key: [float(f"{v:.7g}") for v in values] for key, values in history.items()}
        for name, history in recorded.items()
    }
    print(json.dumps(rounded, indent=1))
