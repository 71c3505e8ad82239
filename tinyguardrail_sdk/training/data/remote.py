"""Files from the network: over HTTPS, within limits of time and size, whole or not at all."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tinyguardrail_sdk.errors import GuardrailError, InputError
from tinyguardrail_sdk.training.progress import Progress

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_CHUNK = 1 << 16
_LOGIN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


@dataclass(frozen=True)
class Patience:
    """How long to try.

    Attributes:
        timeout: Seconds without a byte before an attempt is given up.
        attempts: Tries a file, the first one included.
        backoff: Seconds before the second try; twice as long before each further one.
        most_bytes: Largest file that is accepted.
    """

    timeout: float = 30.0
    attempts: int = 4
    backoff: float = 1.0
    most_bytes: int = 2_000_000_000

    def __post_init__(self) -> None:
        if self.timeout <= 0 or self.backoff < 0:
            raise InputError("timeout must be above 0 seconds, and backoff not negative")
        if self.attempts < 1 or self.most_bytes < 1:
            raise InputError("attempts and the size limit must be at least 1")


class LoginNeeded(GuardrailError):
    """The home of a file gives it only to those who log in."""


class _Passing(Exception):
    """A failure that may be gone at the next try."""


class _SafeRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def check_address(url: str) -> None:
    """Refuse what is not HTTPS; plain HTTP is allowed to this very machine.

    Raises:
        InputError: The address is of another kind.
    """
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not local and (parts.scheme != "https" or not parts.hostname):
        raise InputError(f"{url}: only https:// addresses are fetched")


def download(url: str, target: Path, patience: Patience, progress: Progress) -> None:
    """Fetch a file; `target` appears when all of it has come.

    Args:
        url: An HTTPS address.
        target: Where to write.
        patience: Limits and retries.
        progress: Told the bytes done and of all; all is 0 where the server does not say.

    Raises:
        InputError: The address is not HTTPS, or there is no such file.
        LoginNeeded: Its home gives it only to those who log in.
        GuardrailError: It cannot be had; the message says what to do.
    """
    check_address(url)
    unfinished = target.with_name(target.name + ".part")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        for attempt in range(patience.attempts):
            if attempt:
                time.sleep(patience.backoff * 2 ** (attempt - 1))
            try:
                _attempt(url, unfinished, patience, progress)
                unfinished.replace(target)
                return
            except _Passing as error:
                failure = str(error)
    finally:
        unfinished.unlink(missing_ok=True)
    raise GuardrailError(
        f"{url}: {failure} ({patience.attempts} tries). Is there a network? On a machine that has "
        "one, run the same command with --cache DIR, bring DIR here, and add --cache DIR --offline"
    )


def _attempt(url: str, unfinished: Path, patience: Patience, progress: Progress) -> None:
    opener = build_opener(_SafeRedirects)
    request = Request(url, headers={"User-Agent": "tinyguardrail-data"})
    try:
        with opener.open(request, timeout=patience.timeout) as response:
            _store(url, response, unfinished, patience.most_bytes, progress)
    except HTTPError as error:
        raise _explained(url, error) from error
    except (URLError, OSError, http.client.HTTPException) as error:  # refused, timed out, cut off
        raise _Passing(
            str(getattr(error, "reason", None) or error or type(error).__name__)
        ) from None


def _explained(url: str, error: HTTPError) -> Exception:
    status = f"{error.code} {error.reason}"
    error.close()
    if error.code in _LOGIN:
        return LoginNeeded(f"{url}: {status}: its home wants a login")
    if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in _PASSING:
        return _Passing(status)
    return InputError(
        f"{url}: {status}: the file is not at its home any more; look there for another revision"
    )


def _store(
    url: str, response: http.client.HTTPResponse, unfinished: Path, most: int, progress: Progress
) -> None:
    announced = int(response.headers.get("Content-Length") or 0)
    done = 0
    if announced > most:
        raise _too_large(url, most)
    with unfinished.open("wb") as file:
        while chunk := response.read(_CHUNK):
            done += len(chunk)
            if done > most:
                raise _too_large(url, most)
            file.write(chunk)
            progress(done, announced)
    if done < announced:
        raise _Passing(f"the connection ended after {done} of {announced} bytes")


def _too_large(url: str, most: int) -> InputError:
    return InputError(f"{url}: larger than {most} bytes; raise --max-bytes if that is right")
