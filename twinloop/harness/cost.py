"""What a variant costs to own, read off its source: lines, what it pulls in, the rights that it asks for, its concepts.

`compare.py` puts the answer beside the variant, the page prints it as a table. All numbers are counted, none is a judgement:
what is worth its cost, a reader decides. A variant that is somebody's command line has no files here, and no cost that
anybody could count: then the answer is empty.

    owned files --- tokens ------> lines of code, comment and docstring
                --- their names -> concepts
                --- imports -----> our own modules, and on from there -> distributions, and on from there -> sizes
    deploy/overlays -------------> RBAC rules
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from twinloop.harness.installed import Installed, InstalledHere
from twinloop.harness.job import Variant

# Tokens that are no code.
_SILENT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
    tokenize.ENDMARKER,
}  # fmt: skip


def cost(variant: Variant, clone: Path, installed: Installed | None = None) -> dict[str, Any]:
    """Numbers and lists for people; nothing when no source is known."""
    files = [clone / each for each in variant.owned if (clone / each).is_file()]
    if not files:
        return {}
    answer: dict[str, Any] = {
        "files": len(files),
        "lines": _lines(files),
        **_dependencies(files, clone, installed or InstalledHere()),
        "concepts": sorted({name for path in files for name in _concepts(path)}),
    }
    rights = _rights(clone / "deploy", variant.name)
    return {**answer, "rbac_rules": rights} if rights else answer


# ------------------------------------------------------------------ lines


@dataclass(frozen=True)
class Lines:
    """How many lines of a file are what; a line with code and a comment counts as code."""

    code: int = 0
    comments: int = 0
    docstrings: int = 0

    def __add__(self, other: Lines) -> Lines:
        return Lines(self.code + other.code, self.comments + other.comments, self.docstrings + other.docstrings)


def _lines(files: Iterable[Path]) -> dict[str, int]:
    total = sum((lines_of(path.read_text(), python=path.suffix == ".py") for path in files), Lines())
    return {"code": total.code, "comments": total.comments, "docstrings": total.docstrings}


def lines_of(text: str, *, python: bool = True) -> Lines:
    """Count a file's lines; of another language all that are not blank are code, for want of its grammar."""
    if not python:
        return Lines(sum(bool(line.strip()) for line in text.splitlines()))
    docstrings = _docstrings(ast.parse(text))
    code: set[int] = set()
    comments: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        span = range(token.start[0], token.end[0] + 1)
        if token.type == tokenize.COMMENT:
            comments |= {*span}
        elif token.type not in _SILENT and token.start[0] not in docstrings:
            code |= {*span}
    return Lines(len(code), len(comments - code), len(docstrings - code))


def _docstrings(tree: ast.Module) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and ast.get_docstring(node, clean=False) is not None:
                found |= {*range(first.lineno, (first.end_lineno or first.lineno) + 1)}
    return found


# ------------------------------------------------------------------ concepts


def _concepts(path: Path) -> Iterator[str]:
    """What a reader has to know by name: public classes, and the decorators of a framework."""
    if path.suffix != ".py":
        return
    tree = ast.parse(path.read_text())
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name
        decorators = getattr(node, "decorator_list", [])
        yield from (f"@{ast.unparse(each.func)}" for each in decorators if _of_a_framework(each))


def _of_a_framework(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and ast.unparse(decorator.func).startswith(("kopf.", "click."))


# ------------------------------------------------------------------ dependencies


def _dependencies(files: Iterable[Path], clone: Path, installed: Installed) -> dict[str, Any]:
    """Third-party distributions that importing the files pulls in, with everything that those need."""
    names = closure(_top_level(_reached(files, clone), clone), installed)
    return {"distributions": sorted(names), "distributions_bytes": sum(installed.size(name) for name in names)}


def closure(modules: Iterable[str], installed: Installed) -> set[str]:
    """The distributions that hold these modules, and those that they need, as far as they are installed."""
    todo = [name for module in modules for name in installed.holding(module)]
    names: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in names:
            names.add(name)
            todo += installed.needs(name)
    return names


def _reached(files: Iterable[Path], clone: Path) -> set[Path]:
    """The files and all of the clone's own that they import, directly or not."""
    todo, reached = [path for path in files if path.suffix == ".py"], set[Path]()
    while todo:
        path = todo.pop()
        if path not in reached:
            reached.add(path)
            todo += [own for name in _imports(path) for own in _own(name, path, clone)]
    return reached


def _imports(path: Path) -> set[str]:
    """The names of all modules that a file imports; of `from a import b` also a.b, which may be one."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _own(name: str, importer: Path, clone: Path) -> list[Path]:
    """The files of the clone that importing `name` runs; scripts also import the scripts beside them."""
    parts = name.split(".")
    packages = [clone.joinpath(*parts[:count], "__init__.py") for count in range(1, len(parts) + 1)]
    modules = [clone.joinpath(*parts).with_suffix(".py"), importer.parent / f"{name}.py"]
    return [path for path in (*packages, *modules) if path.is_file()]


def _top_level(reached: Iterable[Path], clone: Path) -> set[str]:
    foreign = {name for path in reached for name in _imports(path) if not _own(name, path, clone)}
    return {name.partition(".")[0] for name in foreign}


# ------------------------------------------------------------------ rights


def _rights(deploy: Path, variant: str) -> list[str]:
    """What the variant's role allows in a cluster, as "VERB RESOURCE"; empty when there is no overlay for it."""
    overlay = deploy / "overlays" / variant
    if not overlay.is_dir():
        return []
    documents = [*_documents(deploy / "base" / "rbac.yaml"), *_documents(overlay / "rbac.yaml")]
    rules = [rule for document in documents for rule in _rules(document)]
    return sorted({right for rule in rules for right in _of_rule(rule)})


def _documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text())) if path.is_file() else []


def _rules(document: Any) -> list[Mapping[str, Any]]:
    """The rules of a role, or those that a patch adds to one."""
    if isinstance(document, list):
        return [step["value"] for step in document]
    return list(document.get("rules", []))


def _of_rule(rule: Mapping[str, Any]) -> Iterator[str]:
    for group in rule["apiGroups"]:
        for resource in rule["resources"]:
            yield from (f"{verb} {resource}{f'.{group}' if group else ''}" for verb in rule["verbs"])
