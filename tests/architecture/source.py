"""The project's own source, as the architecture tests read it."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("carerecords", "consent", "boycott", "spine", "reports", "demo", "config")


def modules(*packages):
    """Path and tree of every module of the packages, migrations left out."""
    for package in packages or APPS:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def imports(path, tree):
    """Every absolute module name that a module imports, `from a import b` as both a and a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = path.relative_to(ROOT).parts[: -node.level]
                base = ".".join([*package, base]).rstrip(".")
            yield node.lineno, base
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def name_of(path):
    """`spine.gate` for its file."""
    relative = path.relative_to(ROOT).with_suffix("")
    parts = relative.parts[:-1] if relative.name == "__init__" else relative.parts
    return ".".join(parts)


def under(name, package):
    return name == package or name.startswith(package + ".")
