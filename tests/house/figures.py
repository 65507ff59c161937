"""What the house looks like in figures: `make figures`. They are a reason to look, never to cut."""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass
from functools import cache
from statistics import median, quantiles
from typing import TYPE_CHECKING

import grimp

from tests.house.names import given_twice, public_names
from tests.house.tree import CODE, ROOT, code, committed, nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: A file name says what is in it where no more than so many files have it.
ONE_FILE_NAME_MAX = 3


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, ninth decile and maximum of lengths in lines."""

    median: float
    p90: float
    maximum: int

    @classmethod
    def of(cls, lengths: Sequence[int]) -> Spread:
        """Returns the spread of at least two lengths."""
        return cls(median(lengths), quantiles(lengths, n=10)[-1], max(lengths))

    def __str__(self) -> str:
        """Returns the three, whole."""
        return f"{self.median:.0f} / {self.p90:.0f} / {self.maximum}"


@cache
def back_arrows() -> tuple[tuple[str, str], ...]:
    """Returns the fewest imports without which no modules or folders beside each other import each other in turn."""
    graph = grimp.build_graph(*CODE, cache_dir=None)
    waiting: list[str] = [*CODE]
    found: list[tuple[str, str]] = []
    while waiting:
        package = waiting.pop()
        children = graph.find_children(package)
        found += sorted(graph.nominate_cycle_breakers(package)) if children else []
        waiting += children
    return tuple(found)


def shared_file_names(paths: Sequence[Path]) -> dict[str, int]:
    """Returns the file names that more files have than one name may, with their number; packages' own left out."""
    shared = given_twice((path.name, str(path)) for path in paths if path.name != "__init__.py")
    return {name: len(files) for name, files in shared.items() if len(files) > ONE_FILE_NAME_MAX}


def figures() -> Iterator[tuple[str, str]]:
    """Yields what is counted, and how much there is of it."""
    paths = code()
    texts = [(ROOT / path).read_text(encoding="utf-8") for path in paths]
    lines = [len(text.splitlines()) for text in texts]
    yield "files / lines", f"{len(paths)} / {sum(lines)}"
    yield "file median / p90 / max", str(Spread.of(lines))
    yield "function median / p90 / max", str(Spread.of([length for path in paths for length in _functions(path)]))
    yield "import lines", f"{sum(_import_lines(path) for path in paths) / sum(lines):.1%}"
    yield "comment lines", f"{sum(_comments(text) for text in texts) / sum(lines):.1%}"
    yield "public names given twice", str(len(given_twice(public_names())))
    yield f"file names more than {ONE_FILE_NAME_MAX} times", str(len(shared_file_names(paths)))
    yield "imports that close a circle", str(len(back_arrows()))
    documents = [path for path in committed() if path.suffix == ".md"]
    readme = (ROOT / "README.md").stat().st_size
    yield "README / other documents", f"{readme / 1000:.1f} kB / {len(documents) - 1}"


def _functions(path: Path) -> Iterator[int]:
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def _import_lines(path: Path) -> int:
    imports = [node for node in nodes_of(path) if isinstance(node, ast.Import | ast.ImportFrom)]
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in imports)


def _comments(text: str) -> int:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return len(
        {token.start[0] for token in tokens if token.type == tokenize.COMMENT and token.line.lstrip()[:1] == "#"}
    )


def main() -> None:
    """Prints the figures, a line each."""
    for what, number in figures():
        print(f"{what:32}{number}")  # noqa: T201 this is what the command is for
    for importer, imported in back_arrows():
        print(f"  {importer} -> {imported}")  # noqa: T201


if __name__ == "__main__":
    main()
