"""From a command's name to the function that does it, imported only when it runs."""

from __future__ import annotations

import argparse
import errno
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from textwrap import fill
from typing import TYPE_CHECKING, Any, NoReturn

from tinyguardrail_sdk.errors import GuardrailError
from tinyguardrail_sdk.training import require_extra
from tinyguardrail_sdk.training.examples import EXAMPLES
from tinyguardrail_sdk.training.inputs import check_inputs

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_COLUMNS = 100  # as the examples have


def add_command(
    commands: Commands, name: str, module: str = "commands", **texts: Any
) -> argparse.ArgumentParser:
    """Add a command that runs the function of its name in a module of this package."""
    if name in EXAMPLES:
        texts.setdefault("epilog", f"examples:\n{EXAMPLES[name]}")
    texts["description"] = fill(texts["description"], _COLUMNS)  # which the formatter leaves alone
    parser = commands.add_parser(
        name, formatter_class=argparse.RawDescriptionHelpFormatter, **texts
    )
    parser.set_defaults(run=partial(_run, module, name))
    return parser


def _run(module: str, name: str, arguments: argparse.Namespace) -> int:
    """What the user can cure is told in one line; anything else keeps its traceback."""
    try:
        require_extra()
        check_inputs(arguments)
        preflight = import_module("tinyguardrail_sdk.training.preflight")
        if hasattr(preflight, name):
            getattr(preflight, name)(arguments)
        functions = import_module(f"tinyguardrail_sdk.training.{module}")
        with _leaving_nothing():
            status: int = getattr(functions, name)(arguments)
    except ImportError as error:
        raise GuardrailError(str(error)) from error
    except BrokenPipeError:  # whoever reads the result went away: no error of ours
        raise
    except OSError as error:
        raise GuardrailError(_in_words(error)) from error
    return status


@contextmanager
def _leaving_nothing() -> Iterator[None]:
    """Make SIGTERM an exit like others: temporary files go, and worker processes end."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _exit(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _in_words(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"{error.filename or 'the disk'}: no space left; make room, or write elsewhere"
    if isinstance(error, IsADirectoryError):
        return f"{error.filename}: is a folder; give the name of a file"
    if error.filename is None:
        return str(error)
    return f"{error.filename}: {error.strerror}; check the path"
