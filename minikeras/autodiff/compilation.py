"""The line that says, once, why the first use of kernels takes a while."""

from pathlib import Path

from ..core import output

ENOUGH = 0.5  # seconds of compilation after which more of it is worth a word
_told = False


def tell_once(seconds: float, folder: Path | None) -> None:
    """Say that kernels are being compiled, as soon as it takes noticeable time.

    Args:
        seconds: spent on compilation so far.
        folder: where the machine code is kept; None when it cannot be kept.
    """
    global _told
    if _told or seconds < ENOUGH:
        return
    _told = True
    if folder is None:
        later = (
            "no folder to keep them can be written: set MINIKERAS_CACHE_DIR to compile only once"
        )
    else:
        later = f"this happens once, later runs load them from {folder.parent}"
    output.notice(f"minikeras: compiling kernels for this CPU; {later}.")
