"""Texts that are allowed without a check, because whoever runs the guard said so."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tinyguardrail_sdk.labels import Source

if TYPE_CHECKING:
    from typing_extensions import Self

_log = logging.getLogger("tinyguardrail_sdk")

_WAYS = ("exact", "regex", "sha256")


def _compilable(pattern: str | None) -> str | None:
    if pattern is not None:
        _compiled(pattern)
    return pattern


class AllowRule(BaseModel):
    """A text, or a family of texts, that is allowed unread; immutable.

    Exactly one of `exact`, `regex` and `sha256` is given. All three are about the whole text, so
    that nobody can pass an attack by adding an allowed phrase to it.

    Attributes:
        exact: The text, character by character.
        regex: A pattern of the `regex` package that the whole text must match.
        sha256: Hexadecimal SHA-256 of the text in UTF-8, for texts that must not stand in a policy.
        sources: The sources that the rule is for; by default all.
        name: What verdicts and statistics call the rule; by default its place, `allow[0]`.
        timeout_ms: How long the pattern may take. A rule that takes longer does not apply: the
            text is checked like any other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    exact: str | None = None
    regex: Annotated[str | None, AfterValidator(_compilable)] = None
    sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")] | None = None
    sources: Annotated[tuple[Source, ...], Field(min_length=1)] | None = None
    name: Annotated[str, Field(min_length=1)] | None = None
    timeout_ms: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 50.0

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(getattr(self, way) is not None for way in _WAYS) != 1:
            raise ValueError("give one of exact, regex and sha256")
        return self

    def covers(self, source: Source) -> bool:
        """Whether the rule is for texts of a source."""
        return self.sources is None or source in self.sources


class RuleBook:
    """The rules of a policy, laid out so that many cost no more than a few.

    Args:
        rules: In the order of the policy; the first that applies is named, exact ones before
            hashes before patterns.
    """

    def __init__(self, rules: Sequence[AllowRule]) -> None:
        named = [(rule.name or f"allow[{place}]", rule) for place, rule in enumerate(rules)]
        self._exact: dict[str, list[tuple[str, AllowRule]]] = {}
        self._hashed: dict[str, list[tuple[str, AllowRule]]] = {}
        self._patterns = [entry for entry in named if entry[1].regex is not None]
        for name, rule in named:
            if rule.exact is not None:
                self._exact.setdefault(rule.exact, []).append((name, rule))
            elif rule.sha256 is not None:
                self._hashed.setdefault(rule.sha256.lower(), []).append((name, rule))

    def find(self, text: str, source: Source) -> str | None:
        """The name of a rule that allows a text; None where it has to be checked."""
        candidates = list(self._exact.get(text, ()))
        if self._hashed:
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            candidates += self._hashed.get(digest, ())
        for name, rule in candidates:
            if rule.covers(source):
                return name
        for name, rule in self._patterns:
            if rule.covers(source) and _matches(name, rule, text):
                return name
        return None


def _matches(name: str, rule: AllowRule, text: str) -> bool:
    pattern = _compiled(rule.regex or "")
    try:
        return pattern.fullmatch(text, timeout=rule.timeout_ms / 1000.0) is not None
    except TimeoutError:
        _log.warning("allow-rule %s took over %g ms and was left out", name, rule.timeout_ms)
        return False


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    import regex  # 30 ms, which policies without patterns need not pay

    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"no pattern: {error}") from None
