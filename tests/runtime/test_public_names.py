import re
from pathlib import Path

import tinyguardrail_sdk
from tinyguardrail_sdk import errors, labels

ROOT = Path(__file__).parents[2]


def test_all_is_what_is_there() -> None:
    names = {
        name
        for name, value in vars(tinyguardrail_sdk).items()
        if not name.startswith("_") and not hasattr(value, "__path__") and callable(value)
    }
    assert set(tinyguardrail_sdk.__all__) == names | {"__version__"}
    assert tinyguardrail_sdk.__all__ == sorted(tinyguardrail_sdk.__all__)


def test_every_error_and_every_vocabulary_is_public() -> None:
    for module in (errors, labels):
        for name, value in vars(module).items():
            if isinstance(value, type) and value.__module__ == module.__name__ and name[0] != "_":
                assert getattr(tinyguardrail_sdk, name) is value


def test_every_error_is_in_the_one_tree_and_in_its_drawing() -> None:
    for name, value in vars(errors).items():
        if isinstance(value, type):
            assert issubclass(value, errors.GuardrailError)
            assert name in (errors.__doc__ or "")


def test_the_version_is_that_of_the_project_file() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    assert found is not None
    assert found[1] == tinyguardrail_sdk.__version__
