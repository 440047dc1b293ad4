"""Applications import the library, never each other but for the one that serves them; the library imports none."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = "ostinato"
SERVER = "ostinato_serve"  # shows what the other applications do on its page
# What a part of the library may import of the project, besides itself.
ALLOWED_INSIDE: dict[str, set[str]] = {
    "ostinato.layers": {"ostinato.gathering"},
    "ostinato.decoding": {"ostinato.gathering"},
    "ostinato.sequences": {
        f"ostinato.{name}"
        for name in (
            "array_file",
            "commands",
            "compiling",
            "config",
            "errors",
            "files",
            "layers",
            "metrics",
            "run_directory",
            "training",
        )
    },
}
# These parts run under every Keras backend, so they name none.
BACKENDS = {"tensorflow", "jax", "torch"}


def imported_modules(path: Path, module: str) -> Iterator[str]:
    """Yields the absolute names that a source file imports, inside functions too."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            # `from ostinato import layers` imports ostinato.layers, `from ostinato import __version__` ostinato.
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def project_modules(root: Path) -> Iterator[tuple[Path, str]]:
    for source_root in (root / "apps", root / "shared"):
        for path in sorted(source_root.rglob("*.py")):
            parts = path.relative_to(source_root).with_suffix("").parts
            yield path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def breaches(root: Path) -> list[str]:
    """Returns one sentence for each import that goes in a forbidden direction."""
    applications = {path.parent.name for path in (root / "apps").glob("*/__init__.py")}
    found = []
    for path, module in project_modules(root):
        part = next((part for part in ALLOWED_INSIDE if is_within(module, part)), None)
        for imported in imported_modules(path, module):
            package = imported.split(".")[0]
            if package in applications - {module.split(".")[0]} and not is_within(module, SERVER):
                found.append(f"{module} imports the application {package}")
            if part is not None:
                allowed = {part} | ALLOWED_INSIDE[part]
                # The package itself, for its axis letters and version, is no part of it.
                if package == LIBRARY and not any(is_within(imported, name) for name in allowed):
                    found.append(f"{module} imports {imported}")
                if package in BACKENDS:
                    found.append(f"{module} imports the backend {package}")
    return found


def test_imports_go_from_applications_to_the_library_and_from_the_library_nowhere():
    assert len(list(project_modules(ROOT))) > 20
    assert breaches(ROOT) == []


@pytest.mark.parametrize(
    ("path", "source", "breach"),
    [
        ("apps/first/cli.py", "import ostinato.layers\nfrom ostinato import errors\nfrom first import model", None),
        ("apps/first/cli.py", "import second.cli", "first.cli imports the application second"),
        ("apps/ostinato_serve/page.py", "from second import Second", None),
        ("apps/first/cli.py", "from ostinato_serve import page", "first.cli imports the application ostinato_serve"),
        ("apps/first/cli.py", "from second.model import x", "first.cli imports the application second"),
        ("shared/ostinato/text/a.py", "from ostinato.layers import x\nimport tensorflow", None),
        (
            "shared/ostinato/text/a.py",
            "def load():\n    from first.model import x",
            "ostinato.text.a imports the application first",
        ),
        ("shared/ostinato/layers/a.py", "import keras\nfrom ostinato.layers.b import x\nfrom .b import y", None),
        ("shared/ostinato/layers/__init__.py", "from . import a\nfrom .a import x", None),
        (
            "shared/ostinato/layers/a.py",
            "from ostinato import errors",
            "ostinato.layers.a imports ostinato.errors",
        ),
        ("shared/ostinato/layers/a.py", "from ..text import b", "ostinato.layers.a imports ostinato.text.b"),
        ("shared/ostinato/layers/deep/a.py", "import ostinato", "ostinato.layers.deep.a imports ostinato"),
        (
            "shared/ostinato/layers/a.py",
            "if True:\n    import tensorflow as tf",
            "ostinato.layers.a imports the backend tensorflow",
        ),
        ("shared/ostinato/decoding/a.py", "from jax import x", "ostinato.decoding.a imports the backend jax"),
        (
            "shared/ostinato/decoding/a.py",
            "import ostinato.layers",
            "ostinato.decoding.a imports ostinato.layers",
        ),
        (
            "shared/ostinato/sequences/a.py",
            "from ostinato.layers import x\nfrom ostinato.errors import DataError",
            None,
        ),
        (
            "shared/ostinato/sequences/a.py",
            "from ostinato.frames import x",
            "ostinato.sequences.a imports ostinato.frames.x",
        ),
        ("shared/ostinato/decoding_more.py", "import ostinato.layers\nimport tensorflow", None),
    ],
)
def test_the_check_itself_finds_what_is_forbidden_and_nothing_else(tmp_path, path, source, breach):
    for package in ("apps/first", "apps/second", "apps/ostinato_serve", "shared/ostinato"):
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(source)
    assert breaches(tmp_path) == ([breach] if breach else [])
