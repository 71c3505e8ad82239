"""Harmless data that looks like machines wrote it, by kind in `BLOBS`."""

from __future__ import annotations

from tinyguardrail_sdk.training.data.benign.blobs.codes import CODES
from tinyguardrail_sdk.training.data.benign.blobs.notation import NOTATIONS
from tinyguardrail_sdk.training.data.benign.blobs.play import PLAY
from tinyguardrail_sdk.training.data.benign.blobs.programs import PROGRAMS
from tinyguardrail_sdk.training.data.benign.blobs.size import LONGEST, Blob
from tinyguardrail_sdk.training.data.benign.blobs.tables import TABLES

GROUPS: dict[str, dict[str, Blob]] = {
    "tables": TABLES,
    "codes": CODES,
    "programs": PROGRAMS,
    "notation": NOTATIONS,
    "play": PLAY,
}
BLOBS: dict[str, Blob] = {kind: blob for group in GROUPS.values() for kind, blob in group.items()}

__all__ = ["BLOBS", "GROUPS", "LONGEST", "Blob"]
