"""Where exported models lie: `NAME/<integer>/`, the highest integer wins, as in TensorFlow Serving. No TensorFlow."""

from collections.abc import Iterator
from pathlib import Path

from ostinato.errors import ModelError

SAVED_MODEL_FILE = "saved_model.pb"


def find_model(name_or_path: str | Path) -> Path:
    """The version folder of an exported folder (with or without its version) or of a shipped model.

    A folder that holds a model goes before a shipped model of the same name.

    Raises:
      ModelError: nothing of that name or path, or a folder without a model in it.
    """
    path = Path(name_or_path)
    version = latest_version(path)
    if version is not None:
        return version
    name = str(name_or_path)
    shipped = shipped_models()
    if name in shipped:
        return shipped[name]
    remedy = (
        f"give an exported folder or a shipped model ({', '.join(sorted(shipped)) or 'this installation has none'})"
    )
    if path.is_dir():
        raise ModelError(f"The folder {name} holds no exported model (no <integer>/{SAVED_MODEL_FILE}); {remedy}.")
    if path.exists():
        raise ModelError(f"{name} is a file, not an exported model; {remedy}.")
    raise ModelError(f"No model {name}; {remedy}.")


def latest_version(folder: Path) -> Path | None:
    """The folder itself where it is a version, else its highest version that holds a model, else None."""
    if (folder / SAVED_MODEL_FILE).is_file():
        return folder
    complete = [(number, path) for number, path in versions_in(folder) if (path / SAVED_MODEL_FILE).is_file()]
    return max(complete)[1] if complete else None


def next_version(folder: Path) -> int:
    """One more than the highest version in a folder, complete or not; 1 where there is none."""
    return max((number for number, _ in versions_in(folder)), default=0) + 1


def shipped_models() -> dict[str, Path]:
    """Name to version folder of the models that came with this installation."""
    shipped: dict[str, Path] = {}
    for root in _shipped_roots():
        for folder in sorted(root.iterdir()):
            version = latest_version(folder)
            if version is not None:
                shipped.setdefault(folder.name, version)
    return shipped


def versions_in(folder: Path) -> Iterator[tuple[int, Path]]:
    """Number and folder of each version, complete or not, in no order; none where there is no such folder."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        # isdecimal alone would accept the digits of other scripts, which no server takes for a version.
        if path.name.isascii() and path.name.isdecimal() and path.is_dir():
            yield int(path.name), path


def _shipped_roots() -> list[Path]:
    """`saved_models` of the checkout that this file lies in, and that of the installed package, where they exist."""
    package = Path(__file__).resolve().parents[1]  # .../ostinato
    checkout = package.parents[1]
    roots = [checkout / "saved_models"] if (checkout / "pyproject.toml").is_file() else []
    return [root for root in [*roots, package / "saved_models"] if root.is_dir()]
