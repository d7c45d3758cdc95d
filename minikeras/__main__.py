"""``python -m minikeras``: its commands and their options."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .commands import environment, script

VERSION = sys.modules["minikeras"].__version__
RUN = """\
Runs a script written for Keras or for tensorflow.keras without changing it: within this process
`keras`, `tensorflow.keras` and `tf.keras` are minikeras. Of TensorFlow itself there are
GradientTape, Variable and functions that map to keras.ops one to one; anything else is an error
that says so."""
ABOUT = "Keras, small: run scripts written for Keras, show this machine, compile kernels."
WARMUP = """\
Compiles all kernels for this processor and keeps them (MINIKERAS_CACHE_DIR, else the user's cache
folder), so that no later process has to: for images of containers, and machines without Numba."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m minikeras", description=ABOUT)
    parser.add_argument("--version", action="version", version=f"minikeras {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run a script written for Keras", description=RUN)
    run.add_argument("-m", dest="module", action="store_true", help="SCRIPT is a module's name")
    run.add_argument(
        "--full-traceback", action="store_true", help="show the lines inside of minikeras, too"
    )
    run.add_argument("script", metavar="SCRIPT", help="path of the script")
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="what the script is given")
    commands.add_parser("info", help="versions, processor, threads, cache of kernels")
    warmup = commands.add_parser("warmup", help="compile all kernels", description=WARMUP)
    warmup.add_argument("--jobs", type=int, help="processes (default: the threads of kernels)")
    warmup.add_argument("--floats", choices=("float32", "float64"), help="of this type only")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status."""
    given = _parser().parse_args(arguments)
    if given.command == "run":
        return script.run(given.script, given.arguments, given.module, given.full_traceback)
    if given.command == "info":
        print(environment.info(VERSION))
        return 0
    if given.jobs is not None and given.jobs < 1:
        print(f"warmup: --jobs must be at least 1. Received: {given.jobs}.", file=sys.stderr)
        return 2
    return environment.warmup(given.jobs, given.floats)


if __name__ == "__main__":
    sys.exit(main())
