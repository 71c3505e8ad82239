"""JSON-lines pools of collected texts: licence filter, sources, families, payloads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Label, Source
from tinyguardrail_sdk.training.data.jsonl import data_files, read_lines, stem_of
from tinyguardrail_sdk.training.data.planted import locate_planted
from tinyguardrail_sdk.training.data.schema import Example

DEFAULT_TERMS = frozenset({"permissive", "share-alike", "none-stated", "own"})
# The checkpoint is for commercial use: these may never be asked for.
FORBIDDEN_TERMS = frozenset({"non-commercial", "copyleft"})
KNOWN_TERMS = DEFAULT_TERMS | FORBIDDEN_TERMS

PAYLOAD_LABEL = "harmful_plain"
_LABELS = (*map(str, LABELS), PAYLOAD_LABEL)

# Kinds whose originals are research-only as far as known, although the snapshot states more.
_RESEARCH_ONLY = (
    "t0:gigaword",
    "t0:ag_news",
    "t0:samsum",
    "t0:multi_news",
    "t0:yelp",
    "t0:dream",
    "long_prompt",
    "donotanswer",
)

_DOCUMENT, _TOOL, _USER, _OUTPUT = Source.DOCUMENT, Source.TOOL, Source.USER, Source.OUTPUT

# (file, beginning of the kind) -> source; the first row that fits decides, "" fits every kind.
_SOURCES: tuple[tuple[str, str, Source], ...] = (
    ("agent_injection_small", "indirect", _TOOL),
    ("agent_injection_small", "tool", _TOOL),
    ("agent_injection_small", "latent", _DOCUMENT),
    ("benign_about_security", "", _DOCUMENT),
    ("benign_chat_mix", "tool_", _TOOL),
    ("benign_code", "code_request", _USER),
    ("benign_code", "", _DOCUMENT),
    ("benign_emails", "", _DOCUMENT),
    ("benign_function_calling", "tool_request", _USER),
    ("benign_function_calling", "", _TOOL),
    ("benign_gpteacher", "roleplay_text", _OUTPUT),
    ("benign_long_documents", "", _DOCUMENT),
    ("benign_multilingual", "wiki_paragraph", _DOCUMENT),
    ("benign_tech_docs", "", _DOCUMENT),
    ("benign_tool_outputs", "tool_request", _USER),
    ("benign_tool_outputs", "", _TOOL),
    # A table followed by a question is what a user pastes; the bare parts are documents.
    ("bipia_train", "clean_table_question", _USER),
    ("bipia_train", "clean_email_question", _USER),
    ("bipia_train", "", _DOCUMENT),
)


@dataclass(frozen=True, slots=True)
class Payload:
    """A plain risky request, from which attack generators build."""

    text: str
    language: str
    terms: str
    upstream: str


@dataclass(slots=True)
class Pools:
    """What was read: labelled rows, payloads, and how many rows were left out and why."""

    examples: list[Example] = field(default_factory=list)
    payloads: list[Payload] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)

    def payload_texts(self, language: str = "en", max_chars: int = 300) -> list[str]:
        """Payloads of one language, short enough to be wrapped."""
        return [
            p.text for p in self.payloads if p.language == language and len(p.text) <= max_chars
        ]


def check_terms(terms: Iterable[str]) -> frozenset[str]:
    """The terms as a set.

    Raises:
        ValueError: A licence group is asked for that the checkpoint must not be trained on.
    """
    wanted = frozenset(terms)
    if bad := wanted & FORBIDDEN_TERMS:
        raise ValueError(
            f"rows under {', '.join(sorted(bad))} terms cannot be trained on; "
            f"choose among {', '.join(sorted(DEFAULT_TERMS))}"
        )
    return wanted


def check_known_terms(terms: Iterable[str]) -> None:
    """Refuse the name of a licence group that there is not.

    Raises:
        InputError: The message names the groups.
    """
    if unknown := sorted(set(terms) - KNOWN_TERMS):
        known = ", ".join(sorted(KNOWN_TERMS))
        raise InputError(f"terms={unknown[0]} is no licence group: choose among {known}")


def load_pools(paths: Sequence[Path], terms: Iterable[str] = DEFAULT_TERMS) -> Pools:
    """Read pools; a directory stands for the `.jsonl` and `.jsonl.gz` files in it.

    A row needs `text` and `label` (a class, or `harmful_plain` for a payload). Rows without
    `terms` count as `none-stated`.

    Raises:
        ValueError: Forbidden terms.
        InputError: A line is not such a row; file and line are named.
        FileNotFoundError: a path does not exist, or a directory holds no pool.
    """
    allowed = check_terms(terms)
    pools = Pools()
    for path in data_files(paths):
        rows = [row for row in pool_rows(path) if _keep(row, allowed, pools.dropped)]
        _add_rows(rows, stem_of(path), pools)
    return pools


def pool_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of one file of a pool, each with its terms.

    Raises:
        InputError: A line is not such a row; file and line are named.
        FileNotFoundError: There is no such file.
    """
    for number, row in read_lines(path):
        if row["label"] not in _LABELS:
            raise InputError(
                f"{path.name}, line {number}: a pool row's label is one of {', '.join(_LABELS)}"
            )
        row["terms"] = str(row.get("terms") or "none-stated")
        yield row


def _keep(row: dict[str, Any], allowed: frozenset[str], dropped: Counter[str]) -> bool:
    reason = ""
    if row["terms"] not in allowed:
        reason = f"terms {row['terms']}"
    elif str(row.get("kind") or "").startswith(_RESEARCH_ONLY):
        reason = "research-only original"
    elif not row["text"].strip():
        reason = "empty"
    dropped.update([reason] if reason else [])
    return not reason


def _add_rows(rows: list[dict[str, Any]], stem: str, pools: Pools) -> None:
    spans = locate_planted(rows) if stem == "bipia_train" else {}
    for index, row in enumerate(rows):
        if row["label"] == PAYLOAD_LABEL:
            language, upstream = _language(row), str(row.get("upstream") or stem)
            pools.payloads.append(Payload(row["text"].strip(), language, row["terms"], upstream))
            continue
        # Texts were cut at 8,000 characters: an attack planted further on is no longer there.
        planted = stem == "bipia_train" and row["label"] != str(Label.BENIGN)
        if planted and index not in spans:
            pools.dropped["planted attack not found"] += 1
            continue
        pools.examples.append(collected_example(row, stem, spans.get(index)))


def collected_example(
    row: dict[str, Any], stem: str, span: tuple[int, int] | None = None
) -> Example:
    """A pool row as an example.

    Args:
        row: `text`, `label`, and where known `kind`, `lang`, `upstream`, `terms`, `source`.
        stem: Name of its file, without endings.
        span: Characters of the attack, where known.

    Raises:
        ValueError: The label is no class.
    """
    kind = str(row.get("kind") or "")
    return Example(
        text=row["text"],
        label=Label(row["label"]),
        source=_source_of(row, stem, kind),
        technique=f"pool/{stem}",
        language=_language(row),
        family=row.get("family") or "#".join(filter(None, (row.get("upstream") or stem, kind))),
        terms=row.get("terms") or "none-stated",
        span=span,
    )


def _language(row: dict[str, Any]) -> str:
    return str(row.get("lang") or "en").split("-")[0]


def _source_of(row: dict[str, Any], stem: str, kind: str) -> Source:
    for file, prefix, source in _SOURCES:
        if stem == file and kind.startswith(prefix):
            return source
    stated = row.get("source")
    return Source(stated) if stated in tuple(Source) else Source.USER
