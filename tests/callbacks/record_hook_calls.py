"""Writes hook_calls.py: in which order, and with what, Keras calls the hooks of a callback.

Run with an interpreter that has Keras 3, any backend.
"""

from pathlib import Path

import numpy as np

PHASES = ("train", "test", "predict")
HOOKS = [
    *(f"on_{phase}_{end}" for phase in PHASES for end in ("begin", "end")),
    *("on_epoch_begin", "on_epoch_end"),
    *(f"on_{phase}_batch_{end}" for phase in PHASES for end in ("begin", "end")),
]
EVENTS = ("fit", "evaluate", "predict")


def recorder(base: type) -> object:
    """A callback that notes "hook(arguments)", with the names in the logs in their order."""

    def note(hook):
        def method(self, *given, **named):
            words = [_words(value) for value in given]
            words += [f"{name}={_words(value)}" for name, value in named.items()]
            self.calls.append(f"{hook}({', '.join(words)})")

        return method

    callback = type("Recorder", (base,), {hook: note(hook) for hook in HOOKS})()
    callback.calls = []
    return callback


def _words(value) -> str:
    if value is None or isinstance(value, int):
        return repr(value)
    return "{" + " ".join(value) + "}"


def drive(keras) -> dict[str, list[str]]:
    """The calls in `fit` with validation, `evaluate` and `predict`."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = np.ones((5, 2), "float32"), np.ones((5, 1), "float32")
    calls = {}
    for event in EVENTS:
        callback = recorder(keras.callbacks.Callback)
        options = {"batch_size": 2, "verbose": 0, "callbacks": [callback]}
        if event == "fit":
            model.fit(x, y, epochs=2, validation_data=(x[:3], y[:3]), **options)
        elif event == "evaluate":
            model.evaluate(x, y, **options)
        else:
            model.predict(x, **options)
        calls[event] = callback.calls
    return calls


def record() -> None:
    import keras

    parts = []
    for event, calls in drive(keras).items():
        lines = "\n".join(f'        "{call}",' for call in calls)
        parts.append(f'    "{event}": [\n{lines}\n    ],')
    path = Path(__file__).with_name("hook_calls.py")
    path.write_text(
        '"""Calls of hooks by Keras 3.15, written by record_hook_calls.py."""\n\n'
        "CALLS = {\n" + "\n".join(parts) + "\n}\n"
    )


if __name__ == "__main__":
    record()
