"""Answers that are remembered, without the texts: a conversation is judged again at every turn."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence

from tinyguardrail_sdk.classifier import Classification, Classifier, ClassifierInfo
from tinyguardrail_sdk.forking import renew_after_fork
from tinyguardrail_sdk.labels import Source


class RememberingClassifier:
    """A classifier in front of another one, which is asked about each text only once.

    It stands before any policy, so that a remembered answer is decided about afresh. The least
    recently used answers are forgotten. Texts are known by a keyed hash whose key is random and
    never leaves the process. An answer with a decoded view holds plain text and is not remembered.
    A copy by pickle begins with an empty memory.

    Args:
        classifier: Who answers.
        size: Number of answers to remember, 1 or more; each takes about a kilobyte at most.
    """

    def __init__(self, classifier: Classifier, size: int) -> None:
        self.classifier = classifier
        self.size = size
        self._key = os.urandom(32)
        self._answers: OrderedDict[bytes, Classification] = OrderedDict()
        self._lock = threading.Lock()
        renew_after_fork(self)

    @property
    def info(self) -> ClassifierInfo:
        """That of the classifier behind."""
        return self.classifier.info

    def __len__(self) -> int:
        return len(self._answers)

    def __reduce__(self) -> tuple[type[RememberingClassifier], tuple[Classifier, int]]:
        return type(self), (self.classifier, self.size)

    def classify(self, text: str, source: Source) -> Classification:
        """Answer from memory, or ask and remember."""
        name = self._name(text, source)
        with self._lock:
            known = self._answers.get(name)
            if known is not None:
                self._answers.move_to_end(name)
                return known
        found = self.classifier.classify(text, source)
        if _can_be_kept(found):
            with self._lock:
                self._answers[name] = found
                if len(self._answers) > self.size:
                    self._answers.popitem(last=False)
        return found

    def classify_batch(self, texts: Sequence[str], source: Source) -> list[Classification]:
        """Answer for each text."""
        return [self.classify(text, source) for text in texts]

    def renew(self) -> None:
        """Take a new lock in a forked child; what was remembered stays true there."""
        self._lock = threading.Lock()

    def _name(self, text: str, source: Source) -> bytes:
        head = f"{self.classifier.info.model_version}\0{source}\0".encode()
        said = text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(head + said, digest_size=16, key=self._key).digest()


def _can_be_kept(found: object) -> bool:
    # What is no Classification is an error of the classifier, for the guard to report.
    return isinstance(found, Classification) and all(m.decoded is None for m in found.matches)
