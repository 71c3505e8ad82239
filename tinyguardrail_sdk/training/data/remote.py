"""Files from the network: over HTTPS, within limits of time and size, whole or not at all.

What has come of a file stands beside its place, under a name that tells the version (`ETag`) which
its home gave. The next try, of a later command too, asks for the rest only, and begins anew where
the version is another one or the home names none.
"""

from __future__ import annotations

import glob
import http.client
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tinyguardrail_sdk.errors import GuardrailError, InputError
from tinyguardrail_sdk.training.data.keyed import digest
from tinyguardrail_sdk.training.progress import Progress

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_CHUNK = 1 << 16
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_LOGIN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_PASSING = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,  # all of it, or more, had come
}


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
        target: Where to write; no other command may be fetching to it.
        patience: Limits and retries.
        progress: Told the bytes done and of all; all is 0 where the server does not say.

    Raises:
        InputError: The address is not HTTPS, or there is no such file.
        LoginNeeded: Its home gives it only to those who log in.
        GuardrailError: It cannot be had; the message says what to do.
        OSError: It cannot be written, since the disk is full or for another reason.
    """
    check_address(url)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        for attempt in range(patience.attempts):
            if attempt:
                time.sleep(patience.backoff * 2 ** (attempt - 1))
            try:
                _attempt(url, target, patience, progress).replace(target)
                return
            except _Passing as error:
                failure = str(error)
    finally:
        _part(target, "").unlink(missing_ok=True)
    raise GuardrailError(
        f"{url}: {failure} ({patience.attempts} tries). Is there a network? On a machine that has "
        "one, run the same command with --cache DIR, bring DIR here, and add --cache DIR --offline"
    )


def _attempt(url: str, target: Path, patience: Patience, progress: Progress) -> Path:
    """Where all of the file is."""
    request = Request(url, headers={"User-Agent": "tinyguardrail-data"})
    begun = next(target.parent.glob(f"{glob.escape(target.name)}.*.part"), None)
    start = 0
    if begun is not None:
        start = begun.stat().st_size
        request.add_header("Range", f"bytes={start}-")
    with _ask(url, request, begun, patience.timeout) as response:
        part = _part(target, response.headers.get("ETag", ""))
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            start = 0
        elif part != begun or not _is_rest(response, start):
            _drop(begun)
            raise _Passing("its home sends not the rest that was asked for")
        elif begun.stat().st_size != start:  # where there are no claims
            _drop(begun)
            raise _Passing("another command fetches it")
        if part != begun:
            _drop(begun)
        _store(url, response, part, start, patience.most_bytes, progress)
    return part


def _ask(
    url: str, request: Request, begun: Path | None, timeout: float
) -> http.client.HTTPResponse:
    try:
        with _passing():
            response: http.client.HTTPResponse = build_opener(_SafeRedirects).open(
                request, timeout=timeout
            )
            return response
    except HTTPError as error:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            _drop(begun)
        raise _explained(url, error) from error


@contextmanager
def _passing() -> Iterator[None]:
    """Of the network only: what the disk refuses is refused at the next try too."""
    try:
        yield
    except HTTPError:
        raise
    except (OSError, http.client.HTTPException) as error:  # refused, timed out, cut off
        raise _Passing(
            str(getattr(error, "reason", None) or error or type(error).__name__)
        ) from None


def _is_rest(response: http.client.HTTPResponse, start: int) -> bool:
    """Whether what comes begins where it was asked to, and ends with the file."""
    told = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return told is not None and (int(told[1]), int(told[2]) + 1) == (start, int(told[3]))


def _drop(part: Path | None) -> None:
    if part is not None:
        part.unlink(missing_ok=True)


def _part(target: Path, version: str) -> Path:
    """Where what comes of a version is kept; of a version that is not told exactly, it is not."""
    if not version or version.startswith("W/"):
        return target.with_name(f"{target.name}.part")
    return target.with_name(f"{target.name}.{digest(version):016x}.part")


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
    url: str,
    response: http.client.HTTPResponse,
    part: Path,
    start: int,
    most: int,
    progress: Progress,
) -> None:
    """Write what comes behind the first `start` bytes."""
    coming = int(response.headers.get("Content-Length") or 0)
    done = start
    announced = done + coming if coming else 0
    if announced > most:
        raise _too_large(url, most)
    with part.open("ab" if start else "wb") as file:
        while chunk := _read(response):
            done += len(chunk)
            if done > most:
                raise _too_large(url, most)
            file.write(chunk)
            progress(done, announced)
    if done < announced:
        raise _Passing(f"the connection ended after {done} of {announced} bytes")


def _read(response: http.client.HTTPResponse) -> bytes:
    with _passing():
        return response.read(_CHUNK)


def _too_large(url: str, most: int) -> InputError:
    return InputError(f"{url}: larger than {most} bytes; raise --max-bytes if that is right")
