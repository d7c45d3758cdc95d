"""What the house promises as a whole: a light import, no machine's paths, one test command."""

import re
import subprocess
import sys

import pytest

from tests.architecture import law, sizes

HEAVY = ("numba", "llvmlite", "h5py", "tqdm", "matplotlib", "urllib.request", "scipy")
TEXT_FILES = ("*.py", "*.md", "*.toml", "*.ipynb")
MACHINE_PATH = re.compile(r"(^|[^\w.-])/(work|farm|root|home/[a-z]+|Users)/")
SIBLING = re.compile(r"\.\./" + "shared")


def _texts():
    folders = ["minikeras", "tests", "examples", "notebooks", ".github"]
    paths = [
        path for name in folders for kind in TEXT_FILES for path in (law.ROOT / name).rglob(kind)
    ]
    paths = [path for path in paths if ".ipynb_checkpoints" not in path.parts]
    return [*paths, law.ROOT / "README.md", law.ROOT / "pyproject.toml"]


def test_importing_minikeras_loads_nothing_heavy():
    code = f"import sys, minikeras; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=law.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_no_file_names_a_path_of_one_machine():
    found = [
        f"{path.relative_to(law.ROOT)}:{number}: {line.strip()[:80]}"
        for path in _texts()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if MACHINE_PATH.search(line) or SIBLING.search(line)
    ]
    assert not found, "\n".join(found)


def test_top_level_holds_what_is_planned_only():
    planned = {"pyproject.toml", "README.md", "minikeras", "tests", "examples", "notebooks"}
    made = {"build", "dist", "output", "venv", "minikeras.egg-info", "__pycache__"}
    found = {path.name for path in law.ROOT.iterdir() if not path.name.startswith(".")}
    assert found - made - {"pytest.log"} <= planned


def test_readme_names_one_test_command_and_ci_takes_it_from_there():
    readme = (law.ROOT / "README.md").read_text()
    commands = re.findall(r"<!-- (\w+) command -->\n```sh\n(python3 .*)\n```", readme)
    assert [name for name, _ in commands] == ["main", "test"]
    assert all("venv" in command and "pip install" in command for _, command in commands)
    script = (law.ROOT / ".ci" / "run").read_text()
    assert "<!-- test command -->" in script
    assert "-m pytest" not in script


def test_sizes_of_files_and_functions_are_reported():
    assert "median function" in sizes.report()


@pytest.mark.parametrize(
    ("source", "lines", "function"),
    [
        ('"""Text.\n\nMore."""\n\nx = 1  # one\n', 1, {}),
        ('def f():\n    """Text."""\n    # why\n    return 1\n', 2, {"f:1": 2}),
    ],
)
def test_sizes_leave_out_docstrings_and_comments(source, lines, function):
    assert sizes.code_lines(source) == (lines, function)
