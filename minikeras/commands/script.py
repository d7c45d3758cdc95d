"""``python -m minikeras run``: a script written for Keras, run as Python itself would run it."""

from __future__ import annotations

import io
import os
import re
import runpy
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

from ..core.validate import suggest
from . import aliases

__all__ = ["run"]

PACKAGE = str(Path(__file__).parents[1]) + os.sep
GONE = {"np_utils": "Its functions are in keras.utils."}
NO_NAME = re.compile(r"cannot import name '(\w+)' from '(minikeras[\w.]*)'")


def run(
    target: str, arguments: Sequence[str], is_module: bool = False, full_traceback: bool = False
) -> int:
    """Run a script (or a module by its name) in which `keras` and `tensorflow` mean this library.

    Args:
        target: Path of the script, or name of the module.
        arguments: What it finds in ``sys.argv[1:]``.
        is_module: Whether `target` is the name of a module, as for ``python -m``.
        full_traceback: Whether tracebacks also show what happened inside of this library.

    Returns:
        The exit status: 0, or 1 after an error, whose traceback was printed.
    """
    code = None if is_module else _compiled(target)
    if not is_module and code is None:
        return 1
    aliases.install()
    sys.argv = [target, *arguments]
    try:
        if code is None:
            runpy.run_module(target, run_name="__main__", alter_sys=True)
        else:
            _execute(code, target)
    except SystemExit:
        raise
    except BaseException as error:
        _report(error, full_traceback)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _compiled(path: str) -> CodeType | None:
    """The code of a script; None, and a message on stderr, if there is none."""
    try:
        with io.open_code(os.path.abspath(path)) as file:
            source = file.read()
        return compile(source, path, "exec", dont_inherit=True)
    except OSError as error:
        print(f"minikeras run: cannot read {path!r}: {error.strerror}.", file=sys.stderr)
    except (SyntaxError, ValueError) as error:
        traceback.print_exception(type(error), error, None)
    return None


def _execute(code: CodeType, path: str) -> None:
    main = ModuleType("__main__")
    main.__dict__.update(__file__=path, __cached__=None, __builtins__=__builtins__)
    sys.modules["__main__"] = main
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.abspath(path))
    exec(code, main.__dict__)


# --- what went wrong ---


def _report(error: BaseException, full: bool) -> None:
    """Print the traceback from the script's first line on, or let the script's own hook do it."""
    for one in _chain(error):
        one.__traceback__ = _from_the_script(one.__traceback__)
        _advise(one)
    if sys.excepthook is not sys.__excepthook__:
        sys.excepthook(type(error), error, error.__traceback__)
        return
    told = traceback.TracebackException.from_exception(error)
    hidden = 0 if full else _hide(told)
    text = "".join(told.format())
    if hidden:
        text += f"({hidden} lines inside of minikeras left out; run --full-traceback shows them)\n"
    sys.stdout.flush()
    sys.stderr.write(text)


def _chain(error: BaseException) -> list[BaseException]:
    """An exception and those that led to it."""
    found: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__]
    return found


def _from_the_script(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without what runs the script: our own frames and `runpy`'s at its start."""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name != __file__ and not name.endswith("runpy.py") and "<frozen" not in name:
            return trace
        trace = trace.tb_next
    return None


def _hide(told: traceback.TracebackException) -> int:
    """Leave out this library's frames but the last; how many were."""
    before = len(told.stack)
    last = len(told.stack) - 1
    kept = [f for k, f in enumerate(told.stack) if k == last or not _is_inside(f.filename)]
    told.stack = traceback.StackSummary.from_list(kept)
    inner = [one for one in (told.__cause__, told.__context__) if one is not None]
    return before - len(kept) + sum(map(_hide, inner))


def _is_inside(filename: str) -> bool:
    return filename.startswith(PACKAGE) or "<frozen importlib" in filename


def _advise(error: BaseException) -> None:
    """Add what helps with errors that are raised by Python, not by this library."""
    text = str(error)
    if isinstance(error, AttributeError) and getattr(error, "name", "") == "numpy":
        error.add_note(
            "Outside of a tape results are numpy arrays already: leave `.numpy()` out, or write "
            "np.asarray(x), which works everywhere."
        )
    found = NO_NAME.search(text) if isinstance(error, ImportError) else None
    if found:
        name, module = found.groups()
        known = getattr(sys.modules.get(module), "__all__", ())
        room = module.replace("minikeras", "keras", 1)
        advice = GONE.get(name) or f"It is not part of minikeras.{suggest(name, known)}"
        error.add_note(f"There is no {room}.{name}. {advice}")
