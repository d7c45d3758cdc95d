"""Only the tests of the runner are collected; the benchmarks themselves are started by hand."""

from pathlib import Path

collect_ignore = [p.name for p in Path(__file__).parent.glob("*.py") if p.name[:5] != "test_"]
