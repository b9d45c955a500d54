"""Laws over the code: sizes, pages, and words that may not occur."""

import ast
import re
from pathlib import Path

import pytest

from tests.cases import ROOT

ROOMS = ("app", "data", "metrics", "pages")
FILES = [p for room in ROOMS for p in (ROOT / room).rglob("*.py")]
PAGES = [p for p in (ROOT / "pages").glob("*.py") if p.name != "__init__.py"]
FILE_LINES, FUNCTION_LINES, PAGE_LINES = 300, 40, 80
NOT_ON_A_PAGE = (
    ast.BinOp, ast.AugAssign, ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.DictComp, ast.SetComp,
    ast.GeneratorExp, ast.Try, ast.While,
)  # fmt: skip


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path):
    source = path.read_text()
    assert len(source.splitlines()) <= FILE_LINES
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert body_lines(node) <= FUNCTION_LINES, f"{node.name} has {body_lines(node)} lines"


def page_faults(source: str) -> list[str]:
    tree = ast.parse(source)
    faults = [type(n).__name__ for n in ast.walk(tree) if isinstance(n, NOT_ON_A_PAGE)]
    calls = [n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    faults += [c for c in calls if c in {"sum", "len", "min", "max", "round", "sorted", "execute", "eval"}]
    if ast.get_docstring(tree) is None:
        faults.append("no docstring")
    if len(source.splitlines()) > PAGE_LINES:
        faults.append("too long")
    return faults


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_pages_hold_no_arithmetic_and_no_functions(path: Path):
    assert page_faults(path.read_text()) == []


def test_the_page_law_catches_an_offender():
    assert page_faults('"""Page."""\nshare = 3 / 4\n') == ["BinOp"]


def test_names_that_shadow_the_rooms_do_not_exist():
    for name in ("metrics.py", "data.py", "pages.py", "pages"):
        assert not (ROOT / "app" / name).exists()


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"\.fillna\(0", "an undefined number is None with a reason, never 0"),
        (r"except[^\n]*:\s*\n\s*pass\b", "an error that is swallowed is a wrong number later"),
        (r"\bTODO\b|\bFIXME\b", "finish it or leave it out"),
        (r"NotImplementedError", "a command that does not work does not exist"),
        (r"\bpickle\b", "pickle runs what it reads"),
    ],
)
def test_words_that_may_not_occur(pattern: str, why: str):
    found = [str(p.relative_to(ROOT)) for p in FILES if re.search(pattern, p.read_text())]
    assert not found, why
