"""Put the tables made of the results between the marks in README, and all of them in a page.

python tests/benchmarks/update_readme.py [RESULTS.json] [README.md] [BENCHMARKS.md]
"""

import re
import sys
from pathlib import Path

from report import RESULTS
from tables import page, section

ROOT = Path(__file__).parents[2]
README, PAGE = ROOT / "README.md", ROOT / ".github" / "BENCHMARKS.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


def replace(text: str, content: str) -> str:
    """The text with `content` between the marks. Raises ValueError when a mark is missing."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"Expected each of {BEGIN} and {END} once in the text.")
    inside = f"{BEGIN}\n{content}\n{END}"
    return re.sub(f"{BEGIN}.*?{END}", lambda _: inside, text, flags=re.DOTALL)


def main(words: list[str]) -> None:
    given = [Path(word) for word in words]
    results, readme, whole = [*given, *(RESULTS, README, PAGE)[len(given) :]]
    readme.write_text(replace(readme.read_text(), section(results)))
    whole.write_text(page(results))


if __name__ == "__main__":
    main(sys.argv[1:])
