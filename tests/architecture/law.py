"""The import law: which room may import which, and the imports that may stand inside a function.

A room is a folder or a module directly under `minikeras`. `violations(module, source)` reads one
file with `ast` and says, in sentences, what breaks the law.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "minikeras"
ROOT = Path(__file__).parents[2]

FLOORS: tuple[tuple[str, ...], ...] = (
    ("core", "kernels"),
    ("autodiff",),
    ("graph",),
    ("ops",),
    ("random",),
    (
        *("program", "activations", "initializers", "regularizers", "constraints"),
        *("losses", "metrics", "optimizers"),
    ),
    ("layers", "data", "callbacks", "saving"),
    ("training",),
    ("models",),
)
FACADE_FLOOR = len(FLOORS)  # every other room, and minikeras itself


def _rooms_up_to(floor: int) -> set[str]:
    return {room for rooms in FLOORS[: floor + 1] for room in rooms}


ALLOWED: dict[str, set[str]] = {
    "core": set(),
    "kernels": set(),
    "autodiff": {"core", "kernels"},
    "graph": {"core", "autodiff"},
    "ops": {"core", "kernels", "autodiff", "graph"},
    "random": {"core", "kernels", "autodiff", "graph", "ops"},
    "program": {"core", "kernels", "autodiff"},
    **dict.fromkeys(
        ("activations", "initializers", "regularizers", "constraints"), {"core", "ops", "random"}
    ),
    **dict.fromkeys(("losses", "optimizers"), {"core", "autodiff", "kernels", "ops"}),
    "metrics": {"core", "autodiff", "kernels", "ops", "losses"},
    "layers": _rooms_up_to(5),
    **dict.fromkeys(("data", "callbacks", "saving"), {"core", "autodiff"}),
    "training": _rooms_up_to(6),
    "models": _rooms_up_to(7),
}

# Packages for the top of a module, beside numpy and the standard library.
AT_THE_TOP = {"kernels": {"numba", "llvmlite"}}

# (where, what, why): the imports that may stand inside a function. `where` is a path or a folder.
INSIDE_A_FUNCTION = (
    ("/__init__.py", {PACKAGE}, "rooms are loaded when they are first used"),
    ("kernels/", {"numba", "llvmlite", f"{PACKAGE}.kernels"}, "compiled on first use only"),
    ("saving/", {"h5py"}, "needed only when a file is read or written"),
    ("callbacks/figures.py", {"matplotlib"}, "the extra 'plot'"),
    ("callbacks/event_log.py", {"tensorboard", "tensorboardX"}, "the extra of that name"),
    ("callbacks/live_line.py", {"tqdm", "IPython"}, "needed only when a bar is shown"),
    ("callbacks/remote_monitor.py", {"urllib"}, "http, ssl and email cost 40 ms, few send logs"),
    ("optimizers/minimisers.py", {"scipy"}, "an optional extra, needed by full-batch optimizers"),
    ("commands/aliases.py", {PACKAGE}, "modules are looked up by the names that scripts import"),
    ("visualization/raster.py", {"matplotlib"}, "the extra 'plot'"),
    ("preprocessing/image.py", {"PIL"}, "the extra 'image'"),
    ("datasets/_download.py", {"urllib"}, "http, ssl and email cost 40 ms, a download is rare"),
    ("datasets/_cifar.py", {"tarfile", "zipfile"}, "bz2, lzma and shutil cost 5 ms"),
    ("datasets/_unpacking.py", {"tarfile", "zipfile"}, "bz2, lzma and shutil cost 5 ms"),
    ("datasets/_files.py", {"zipfile"}, "bz2, lzma and shutil cost 5 ms, needed only to read"),
    ("datasets/mnist.py", {"zipfile"}, "bz2, lzma and shutil cost 5 ms, needed only to read"),
)


@dataclass(frozen=True)
class Import:
    """One imported module: its full name, its line, and whether the statement is in a function."""

    target: str
    line: int
    inside_function: bool

    @property
    def package(self) -> str:
        return self.target.split(".")[0]


def sources(folder: Path = ROOT / PACKAGE) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def room_of(module: str) -> str:
    """`minikeras.layers.dense` -> `layers`; `minikeras` itself -> the empty string."""
    return module.split(".")[1] if "." in module else ""


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_module(name: str) -> bool:
    base = ROOT.joinpath(*name.split("."))
    return room_of(name) in ALLOWED or base.with_suffix(".py").is_file() or base.is_dir()


def _from_targets(node: ast.ImportFrom, package: str) -> list[str]:
    """What `from a.b import c` imports: the module `a.b.c` where there is one, else `a.b`."""
    base = node.module or ""
    if node.level:
        parts = package.split(".")
        parts = parts[: len(parts) - node.level + 1]
        base = ".".join([*parts, *([base] if base else [])])
    if base.split(".")[0] != PACKAGE:
        return [base]
    names = [f"{base}.{alias.name}" for alias in node.names]
    return [name if base != PACKAGE or _is_module(name) else base for name in names]


def _string_target(node: ast.Call, package: str) -> list[str]:
    """What `importlib.import_module("x")` and `__import__("x")` import.

    Of a computed name the part before the first unknown is kept: "?" when nothing is known.
    """
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name not in ("import_module", "__import__"):
        return []
    argument = node.args[0] if node.args else None
    known = argument.values[0] if isinstance(argument, ast.JoinedStr) else argument
    if not (isinstance(known, ast.Constant) and isinstance(known.value, str)):
        return ["?"]
    text = known.value + ("?" if known is not argument else "")
    return [package + text if text.startswith(".") and not text.startswith("..") else text]


def imports(source: str, package: str) -> Iterator[Import]:
    """All imports of a module that lies in `package`, those under `if TYPE_CHECKING` too."""

    def walk(node: ast.AST, inside: bool) -> Iterator[Import]:
        targets: list[str] = []
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            targets = _from_targets(node, package)
        elif isinstance(node, ast.Call):
            targets = _string_target(node, package)
        for target in targets:
            yield Import(target, node.lineno, inside or isinstance(node, ast.Call))
        deeper = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, deeper)

    return walk(ast.parse(source), False)


def _may_be_lazy(found: Import, path: str) -> bool:
    return any(
        path.startswith(where) and any(f"{found.target}.".startswith(f"{name}.") for name in what)
        for where, what, _ in INSIDE_A_FUNCTION
    )


def _complaint(found: Import, room: str, path: str) -> str | None:
    """Why this import breaks the law, or None."""
    if found.inside_function and not _may_be_lazy(found, path):
        return f"import of {found.target} inside a function: move it to the top, or the code down"
    if found.package != PACKAGE:
        top = {"numpy"} | AT_THE_TOP.get(room, set())
        if found.inside_function or found.package in sys.stdlib_module_names | top:
            return None
        return f"{found.package} is not numpy, nor of the standard library"
    target = room_of(found.target)
    if target == room or (target and room not in ALLOWED):
        return None
    if target not in ALLOWED:
        facade = f"{PACKAGE}.{target}" if target else PACKAGE
        return f"{facade} is a facade: import the module that defines the name"
    if target not in ALLOWED[room]:
        return f"room {room} may not import room {target}"
    return None


def violations(module: str, source: str, is_package: bool = False) -> list[str]:
    """Sentences about the imports of `module` (its full name) that break the law."""
    package = module if is_package else module.rpartition(".")[0]
    path = "/".join(module.split(".")[1:]) + ("/__init__.py" if is_package else ".py")
    room = room_of(module)
    result = []
    for found in imports(source, package):
        complaint = _complaint(found, room, path)
        if complaint:
            result.append(f"{path}:{found.line}: {complaint}")
    return result
