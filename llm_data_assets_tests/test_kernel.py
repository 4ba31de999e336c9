"""A kernel borrows its arrays: it hands none back, and calls nothing that makes one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numba.core.errors import NumbaError

import llm_data_assets
from llm_data_assets.kernel import allocating, kernel

PACKAGE = Path(llm_data_assets.__file__).parent


def compiled(*decorators: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(each, ast.Name) and each.id in decorators for each in node.decorator_list
            ):
                yield f"{path.relative_to(PACKAGE)}: {node.name}", node


def arrays_of(function: ast.FunctionDef) -> set[str]:
    """Names that the function indexes, slices or asks the length of."""
    indexed = {ast.unparse(x.value) for x in ast.walk(function) if isinstance(x, ast.Subscript)}
    measured = {
        ast.unparse(x.args[0])
        for x in ast.walk(function)
        if isinstance(x, ast.Call) and ast.unparse(x.func) == "len"
    }
    return indexed | measured


def returned(function: ast.FunctionDef) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            yield from node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]


def test_what_is_looked_for_is_found() -> None:
    given = ast.parse("def f(a, b):\n    c = a[1:]\n    return c[0], b, a").body[0]
    assert isinstance(given, ast.FunctionDef)
    assert arrays_of(given) == {"a", "c"}
    assert [ast.unparse(x) for x in returned(given)] == ["c[0]", "b", "a"]


def test_no_kernel_returns_an_array() -> None:
    kernels = list(compiled("kernel", "inlined"))
    assert len(kernels) > 100
    wrong = [
        f"{name} returns {ast.unparse(value)}"
        for name, node in kernels
        for value in returned(node)
        if ast.unparse(value) in arrays_of(node)
        or (isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Slice))
    ]
    assert wrong == []


def test_no_kernel_calls_what_allocates() -> None:
    makers = {node.name for _, node in compiled("allocating")}
    wrong = [
        f"{name} calls {call.func.id}"
        for name, node in compiled("kernel", "inlined")
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in makers - {node.name}
    ]
    assert wrong == []


def test_numba_refuses_a_kernel_that_allocates() -> None:
    @kernel
    def refused(n: int) -> np.ndarray:
        return np.empty(n)

    @allocating
    def squares(n: int) -> np.ndarray:
        return np.arange(n) ** 2

    with pytest.raises(NumbaError, match=r"empty|NRT"):
        refused(3)
    assert squares(3).tolist() == [0, 1, 4]
