"""A classifier asked in a way that its own failures become errors of this package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tinyguardrail_sdk.classifier import Classification, Classifier
from tinyguardrail_sdk.errors import CheckFailed, GuardrailError
from tinyguardrail_sdk.labels import Source

_T = TypeVar("_T")


def answer(classifier: Classifier, text: str, source: Source) -> Classification:
    """Return what a classifier says of one text.

    Raises:
        CheckFailed: It said something else.
    """
    found: object = classifier.classify(text, source)
    if not isinstance(found, Classification):
        raise CheckFailed("the classifier gave no Classification; the text was not cleared")
    return found


def answers(
    classifier: Classifier, texts: Sequence[str], source: Source
) -> Sequence[Classification]:
    """Return what a classifier says of several texts, one answer for each.

    Raises:
        CheckFailed: Something is missing.
    """
    found = list(classifier.classify_batch(texts, source))
    if len(found) != len(texts) or not all(isinstance(one, Classification) for one in found):
        raise CheckFailed("the classifier did not answer every text; none was cleared")
    return found


def one_door(call: Callable[[], _T]) -> _T:
    """Let the errors of this package pass, and make every other one a `CheckFailed`."""
    try:
        return call()
    except GuardrailError:
        raise
    except Exception as error:
        name = type(error).__name__
        raise CheckFailed(f"the check broke ({name}); the text was not cleared") from error
