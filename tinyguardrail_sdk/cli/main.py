"""Run a command and turn whatever happens into an exit status."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence

from tinyguardrail_sdk.cli import COULD_NOT_CHECK, INTERRUPTED
from tinyguardrail_sdk.cli.parser import build_parser
from tinyguardrail_sdk.errors import GuardrailError


def main(argv: Sequence[str] | None = None) -> int:
    """Run `tinyguardrail` with the arguments given (by default the process's own).

    Returns:
        The exit status: 0 allowed or done, 1 blocked, 2 could not check, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    _survive_narrow_encodings()
    try:
        arguments = build_parser(words).parse_args(words)
        status: int = arguments.run(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader went away. Without this the flush at exit would complain about it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return COULD_NOT_CHECK
    except GuardrailError as error:
        sys.stderr.write(f"tinyguardrail: {error}\n")
        return COULD_NOT_CHECK
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception:
        # Python's own status for an uncaught exception is 1, which here means "blocked".
        traceback.print_exc()
        return COULD_NOT_CHECK


def _survive_narrow_encodings() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
