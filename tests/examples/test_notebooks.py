"""Every notebook runs from top to bottom, with few epochs, and draws its pictures."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
REDUCED = {
    "01_three_steps.ipynb": "EPOCHS_SQUARED_ERROR = 3\nEPOCHS_CROSS_ENTROPY = 3",
    "02_convolutional_networks.ipynb": "EPOCHS = 1\nEPOCHS_FEW_IMAGES = 1",
    "03_recurrent_networks.ipynb": "EPOCHS = 1",
}
PICTURES = {
    "01_three_steps.ipynb": 5,
    "02_convolutional_networks.ipynb": 5,
    "03_recurrent_networks.ipynb": 3,
}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the notebook client


def parameters(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(cells) == 1, "one cell is tagged 'parameters'"
    return cells[0]


def pictures(notebook: nbformat.NotebookNode) -> int:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def test_every_notebook_has_reduced_settings():
    assert {path.name for path in NOTEBOOKS.glob("*.ipynb")} == set(REDUCED) == set(PICTURES)


@pytest.mark.parametrize("name", REDUCED)
def test_notebook_runs_and_draws_its_pictures(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOKS.parent))
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    cell = parameters(notebook)
    assert {line.split(" =")[0] for line in cell.source.splitlines()} == {
        line.split(" =")[0] for line in REDUCED[name].splitlines()
    }
    cell.source = REDUCED[name]
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=str(NOTEBOOKS))
    assert pictures(notebook) == PICTURES[name]


@pytest.mark.parametrize("name", REDUCED)
def test_notebook_is_stored_without_large_outputs(name: str):
    assert (NOTEBOOKS / name).stat().st_size < 200_000
