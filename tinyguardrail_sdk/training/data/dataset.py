"""What is said of a public data set: its files, its terms, and how a record becomes a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tinyguardrail_sdk.labels import Source

Use = Literal["training", "evaluation"]


@dataclass(frozen=True)
class RemoteFile:
    """One file of a data set.

    Attributes:
        path: Its place under the base address; the ending says the format.
        sha256: Of its bytes; None until the first fetch records it.
        label: Class of its rows, over the rule's.
        kind: Of its rows, where no field says it.
        terms: Licence group of its rows, where it is not the data set's.
        plant: Path of the file with the attacks that are planted into its rows.
    """

    path: str
    sha256: str | None = None
    label: str = ""
    kind: str = ""
    terms: str = ""
    plant: str = ""


@dataclass(frozen=True)
class RowRule:
    """How a row is made from a record.

    Attributes:
        text: Field of the text; a list of strings is its lines. Of a list of messages it is what
            the user said, and the record is left out where that is not one message.
        label: Class of all rows, unless `label_from` is given.
        label_from: Fields that decide the class; their values are joined by `/`, in lower case.
        labels: Class by that value, * as wildcard, the first that fits; records of other values,
            and of those with an empty class, are left out.
        wordy: Pattern of such values; of their texts those under four words are left out, which
            are too short to tell what they are.
        kind_from: Field that says the technique or subset.
        where: Values that fields must have, in lower case.
        inside: Key of the list of records in a JSON object.
        without: Cut out of the text: the mark of a place where an attack would stand.
        source: Where the texts are supposed to come from.
    """

    text: str
    label: str = ""
    label_from: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    wordy: str = ""
    kind_from: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    inside: str = ""
    without: str = ""
    source: Source = Source.USER


@dataclass(frozen=True)
class Dataset:
    """A data set at its home.

    Attributes:
        name: What `data fetch` calls it.
        home: Page that describes it.
        base: Address of its files, revision included.
        licence: As its home states it.
        terms: Licence group of its rows.
        use: Whether its rows may be trained on, or only scored.
        files: Its files.
        rules: Every record makes a row by each rule that fits it.
        language: ISO 639 code; `mul` for several that the set does not tell apart.
        gated: Whether its home wants a login, so that the file is fetched by hand.
        note: What a user should know.
    """

    name: str
    home: str
    base: str
    licence: str
    terms: str
    use: Use
    files: tuple[RemoteFile, ...]
    rules: tuple[RowRule, ...]
    language: str = "en"
    gated: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        if not self.files or not self.rules:
            raise ValueError(f"{self.name} has no files or no rules")
        for rule in self.rules:
            if bool(rule.label_from) != bool(rule.labels):
                raise ValueError(f"{self.name}: label_from and labels go together")
