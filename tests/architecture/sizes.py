"""Sizes of files and functions: code lines without docstrings, blank lines and comments.

    python tests/architecture/sizes.py

Reported, not enforced: the largest ones are where a reader gets lost first.
"""

import ast
import statistics
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "minikeras"
FILE_BUDGET, FUNCTION_BUDGET = 400, 40
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def _docstring_lines(node: ast.AST) -> set[int]:
    if not isinstance(node, ast.Module | ast.ClassDef | FUNCTIONS) or not node.body:
        return set()
    first = node.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    if is_text and isinstance(first.value.value, str):
        return set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return set()


def code_lines(source: str) -> tuple[int, dict[str, int]]:
    """Code lines of a module, and of each function in it by name and line."""
    tree = ast.parse(source)
    skip = set().union(*(_docstring_lines(node) for node in ast.walk(tree)))
    code = {
        number
        for number, line in enumerate(source.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#") and number not in skip
    }
    functions = {
        f"{node.name}:{node.lineno}": len(code & set(range(node.lineno, node.end_lineno + 1)))
        for node in ast.walk(tree)
        if isinstance(node, FUNCTIONS)
    }
    return len(code), functions


def report(folder: Path = PACKAGE, worst: int = 8) -> str:
    """A few lines: totals, medians, and what is over the budget."""
    files, functions = {}, {}
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        files[name], inner = code_lines(path.read_text())
        functions |= {f"{name}:{function}": size for function, size in inner.items()}
    lines = [
        f"{len(files)} files, {sum(files.values())} code lines, {len(functions)} functions, "
        f"median function {statistics.median(functions.values()):.0f}"
    ]
    for what, sizes, budget in (
        ("file", files, FILE_BUDGET),
        ("function", functions, FUNCTION_BUDGET),
    ):
        over = sorted((size, name) for name, size in sizes.items() if size > budget)[::-1]
        lines.append(f"{len(over)} {what}(s) over {budget} lines")
        lines += [f"  {size:5d}  {name}" for size, name in over[:worst]]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
