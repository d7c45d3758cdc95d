"""One living process that runs single layers with one library and answers questions about them.

    python layer_worker.py PEER [--threads N]

A line `SECONDS KIND CASE` (kinds: forward, both) runs the layer of that case for so long, and is
answered by a line of JSON: tenths of the sorted milliseconds of a call, the least first.
"""

import argparse
import sys
from functools import cache
from typing import Any

from layer_cases import CASES
from layer_peers import LAYER_PEERS, LayerRunner
from worker import answers_only, keep_to_cores, per_call


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", choices=LAYER_PEERS)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    if options.threads:
        keep_to_cores(options.threads)
    say = answers_only()
    make = LAYER_PEERS[options.peer]

    @cache
    def runner(case: str) -> LayerRunner:
        return make(CASES[case])

    say({"ready": 0.0})
    for line in sys.stdin:
        seconds, kind, case = line.strip().split(" ", 2)
        say(_answer(lambda case=case: runner(case), kind, float(seconds)))


def _answer(runner: Any, kind: str, seconds: float) -> dict[str, Any]:
    try:
        found = runner()
        return per_call(getattr(found, kind), seconds, warm=3) | {"shape": list(found.shape)}
    except Exception as error:  # each library refuses in its own way
        return {"unsupported": f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"}


if __name__ == "__main__":
    main()
