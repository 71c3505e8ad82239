"""The vocabulary shared by the runtime and the training pipeline.

The order of every enum is part of the checkpoint format: `Label` is the order of the network's
logits, `Source` that of its source embedding, `Pattern` that of its detector inputs and of the
six flags in the 16-bit response. Append, never reorder.
"""

from enum import Enum


class _Name(str, Enum):
    """A string enum whose members print as their value."""

    def __str__(self) -> str:
        return str(self.value)


class Label(_Name):
    """What a text is, by attack technique and never by topic."""

    BENIGN = "benign"
    INJECTION = "injection"
    JAILBREAK = "jailbreak"
    OBFUSCATION = "obfuscation"


class Source(_Name):
    """Where a text came from: what is fine from a user may be an attack in a tool result."""

    USER = "user"
    TOOL = "tool"
    DOCUMENT = "document"
    OUTPUT = "output"


class Mode(_Name):
    """The trade-off between missed attacks and false alarms; thresholds are in the manifest."""

    STRICT = "strict"
    BALANCED = "balanced"
    PERMISSIVE = "permissive"


class Action(_Name):
    """What the policy decided, from mildest to strictest."""

    ALLOW = "allow"
    FLAG = "flag"
    REDACT = "redact"
    BLOCK = "block"


class Route(_Name):
    """Which branch of the network answered; `ESCALATED` ran the fast one first and was unsure."""

    FAST = "fast"
    DEEP = "deep"
    ESCALATED = "escalated"


class Pattern(_Name):
    """The six pattern detectors."""

    FLIP = "flip"
    HOMOGLYPH = "homoglyph"
    ENCODING = "encoding"
    INVISIBLE = "invisible"
    CIPHER = "cipher"
    OVERRIDE = "override"


LABELS: tuple[Label, ...] = tuple(Label)
SOURCES: tuple[Source, ...] = tuple(Source)
PATTERNS: tuple[Pattern, ...] = tuple(Pattern)
