"""Detectors of the host's own, which can raise the risk of a text and never lower it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tinyguardrail_sdk.errors import CheckFailed, InputError
from tinyguardrail_sdk.frozen import FrozenDict
from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.verdict import Finding


@dataclass(frozen=True, slots=True)
class CustomDetector:
    """A detector that runs beside the network.

    Attributes:
        name: What findings and errors call it.
        find: Takes the text and returns a score from 0 to 1, or the `Finding`s in it, whose highest
            score counts. What it raises is a check that failed, see `Policy.on_error`. May be
            called from several threads at once.
        label: What a text is if the score reaches the threshold, unless something else that does
            (the network, another detector) is answered by a stricter action, or by one as strict
            with a higher score.
        sources: The sources whose texts it reads; by default all.

    Raises:
        InputError: A field of the wrong kind.
    """

    name: str
    find: Callable[[str], float | Iterable[Finding]]
    label: Label = Label.INJECTION
    sources: tuple[Source, ...] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise InputError("a detector needs a name")
        if not callable(self.find):
            raise InputError(f"detector {self.name}: find must be callable")
        if not isinstance(self.label, Label) or self.label is Label.BENIGN:
            raise InputError(f"detector {self.name}: label must be that of an attack")
        if not all(isinstance(source, Source) for source in self.sources or ()):
            raise InputError(f"detector {self.name}: sources must be members of Source")
        if self.sources is not None and not self.sources:
            raise InputError(f"detector {self.name}: sources is empty; leave it out for all")


@dataclass(frozen=True, slots=True)
class Raised:
    """What custom detectors say of a text: the highest score of each label, and all findings."""

    scores: Mapping[Label, float] = field(default_factory=FrozenDict)
    findings: tuple[Finding, ...] = ()


NOTHING = Raised()


def run_detectors(detectors: Sequence[CustomDetector], text: str, source: Source) -> Raised:
    """Ask the detectors that read texts of a source.

    Raises:
        CheckFailed: One of them raised, or gave neither a score nor findings in the text.
    """
    highest: dict[Label, float] = {}
    findings: list[Finding] = []
    for detector in detectors:
        if detector.sources is not None and source not in detector.sources:
            continue
        try:
            score, found = _answer(detector, text)
        except Exception as error:
            name = f"{detector.name} ({type(error).__name__})"
            raise CheckFailed(f"detector {name} broke; the text was not cleared") from error
        findings += found
        highest[detector.label] = max(score, highest.get(detector.label, 0.0))
    return Raised(highest, tuple(findings))


def _answer(detector: CustomDetector, text: str) -> tuple[float, list[Finding]]:
    answer = detector.find(text)
    if isinstance(answer, int | float):
        return _score(answer), []
    found = list(answer)
    for finding in found:
        if not isinstance(finding, Finding):
            raise TypeError("a detector returns a score or findings")
        if not 0 <= finding.start <= finding.end <= len(text):
            raise ValueError("a finding lies outside the text")
    return max((_score(finding.score) for finding in found), default=0.0), found


def _score(score: float) -> float:
    if not 0.0 <= score <= 1.0:  # refuses a NaN, too
        raise ValueError("a score is from 0 to 1")
    return float(score)
