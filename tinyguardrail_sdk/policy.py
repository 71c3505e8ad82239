"""What to do about what the network said."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tinyguardrail_sdk.errors import PolicyError
from tinyguardrail_sdk.frozen import FrozenDict
from tinyguardrail_sdk.labels import LABELS, Action, Label, Mode, Source
from tinyguardrail_sdk.policy_file import parse_json, read_settings
from tinyguardrail_sdk.rules import AllowRule

if TYPE_CHECKING:
    from typing_extensions import Self


def _attacks_only(actions: Mapping[Label, Action]) -> Mapping[Label, Action]:
    if Label.BENIGN in actions:
        raise ValueError("benign text is always allowed; name an attack label")
    return FrozenDict(actions)


_FROZEN = (
    "a Policy is frozen: make another one, policy.model_copy(update={{'{name}': ...}}), and a new "
    "Guard(policy=...) with it"
)

_A_RULE = """AllowRule(exact="..."), or {"exact": "..."} in a file"""
# Where pydantic places a key that is no label: the setting, and the length of the place.
_LABEL_KEYS = (("actions", 3), ("source_actions", 4))
_Actions = Annotated[Mapping[Label, Action], AfterValidator(_attacks_only)]
Outcome = Literal["raise", "block", "allow"]
"""What becomes of a text that could not be checked, or is too long to be."""


class Policy(BaseModel):
    """How a guard decides; immutable: `policy.model_copy(update={"mode": "strict"})` makes another.

    What is done with an attack is looked up in `source_actions[source][label]`, then in
    `actions[label]`; what stands in neither is blocked.

    Attributes:
        mode: The trade-off between missed attacks and false alarms. It picks the threshold that
            the checkpoint's manifest holds for the source of the text.
        actions: What to do with an attack of each label at or above the threshold: `allow`, `flag`,
            `redact` or `block`.
        source_actions: The same for texts of one source, before `actions`.
        allow: Texts that are allowed unread; the verdict names the rule, and `checked` is False.
        shadow: Decide, but stop nothing: what would be blocked or redacted is flagged, and
            `Verdict.shadowed` says what would have been done. A check that breaks, or a text over
            the cap, is flagged too instead of raising.
        replacement: What stands in a redacted text for every part that was cut.
        deadline_ms: Time for one check from its start, redaction included, in milliseconds; opening
            the network, once a process, is not counted. Looked at between windows; a check that is
            not done by then has failed, see `on_error`.
        max_chars: Longest text that is checked. By default there is no cap and the whole text is
            checked, whatever its length.
        on_too_long: What becomes of a longer text: `"raise"` an `InputTooLong`, or answer unread
            with a verdict that says `"block"` or `"allow"`.
        on_error: What becomes of a text when the check itself breaks: `"raise"` a `CheckFailed`,
            or answer with a verdict that says `"block"` or `"allow"`. Wrong input and a damaged
            checkpoint always raise.
        source_on_error: The same for texts of one source, before `on_error`.

    Raises:
        PolicyError: A setting is unknown or has an impossible value; the message names it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode = Mode.BALANCED
    actions: _Actions = FrozenDict()
    source_actions: Annotated[Mapping[Source, _Actions], AfterValidator(FrozenDict)] = FrozenDict()
    allow: tuple[AllowRule, ...] = ()
    shadow: bool = False
    replacement: str = "[REDACTED]"
    deadline_ms: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    max_chars: Annotated[int, Field(gt=0)] | None = None
    on_too_long: Outcome = "raise"
    on_error: Outcome = "raise"
    source_on_error: Annotated[Mapping[Source, Outcome], AfterValidator(FrozenDict)] = FrozenDict()

    if not TYPE_CHECKING:  # checkers keep the signature that pydantic derives from the fields

        def __init__(self, /, **settings: Any) -> None:
            try:
                super().__init__(**settings)
            except ValidationError as error:
                raise PolicyError(f"invalid policy: {_remedy(error)}") from None

        def __setattr__(self, name: str, value: object) -> None:
            raise PolicyError(_FROZEN.format(name=name))

        def __delattr__(self, name: str) -> None:
            raise PolicyError(_FROZEN.format(name=name))

        def model_copy(
            self, *, update: Mapping[str, Any] | None = None, deep: bool = False
        ) -> Policy:
            """Return a copy with other settings, checked like those of a new policy."""
            # pydantic's own takes any value unseen, and an action that nothing does lets texts by.
            settings = {name: getattr(self, name) for name in type(self).model_fields}
            return type(self)(**settings | dict(update or {}))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a policy from a `.json` file, or from Python 3.11 on a `.toml` file.

        Raises:
            PolicyError: The file cannot be read, or a setting in it is wrong; names file and field.
        """
        settings = read_settings(path)
        try:
            return cls(**settings)
        except PolicyError as error:
            raise PolicyError(f"{os.fspath(path)}: {error}") from None

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote.

        Raises:
            PolicyError: It is no JSON object, or a setting in it is wrong.
        """
        return cls(**parse_json(text))

    def to_json(self) -> str:
        """Return the policy as JSON, in full; `from_json` makes an equal one of it."""
        return self.model_dump_json(indent=2)

    def decide(
        self, scores: Sequence[float], threshold: float, source: Source | None = None
    ) -> tuple[Label, Action]:
        """Turn what the network said into what is reported and done.

        Args:
            scores: Calibrated probabilities in the order of `LABELS`.
            threshold: Risk from which a text counts as an attack.
            source: Where the text comes from; None leaves `source_actions` out.
        """
        if 1.0 - scores[0] < threshold:
            return Label.BENIGN, Action.ALLOW
        attack = LABELS[max(range(1, len(LABELS)), key=scores.__getitem__)]
        return attack, self.action(attack, source)

    def action(self, label: Label, source: Source | None = None) -> Action:
        """What is done with texts of a label, before `shadow` softens it."""
        if label is Label.BENIGN:
            return Action.ALLOW
        if source is not None and label in self.source_actions.get(source, {}):
            return self.source_actions[source][label]
        return self.actions.get(label, Action.BLOCK)

    def outcome(self, source: Source) -> Outcome:
        """What becomes of texts of a source whose check breaks, before `shadow` softens it."""
        return self.source_on_error.get(source, self.on_error)


def _remedy(error: ValidationError) -> str:
    problems = []
    for problem in error.errors(include_url=False, include_input=False):
        place, message = problem["loc"], problem["msg"]
        if problem["type"] == "extra_forbidden":
            known = Policy.model_fields if len(place) == 1 else AllowRule.model_fields
            message = f"there is no such setting; there are {', '.join(known)}"
        elif problem["type"] in ("model_type", "tuple_type") and place[0] == "allow":
            message = f"rules are a list, each of them {_A_RULE}"
        elif place[-1:] == ("[key]",) and (place[0], len(place)) in _LABEL_KEYS:
            message = _no_attack_label(place[0], place[-2])
        problems.append(f"{'.'.join(map(str, place)) or 'policy'}: {message}")
    return "; ".join(problems)


def _no_attack_label(setting: int | str, key: int | str) -> str:
    attacks = ", ".join(repr(str(label)) for label in LABELS if label is not Label.BENIGN)
    message = f"there is no such attack label; there are {attacks}"
    if setting == "actions" and key in tuple(Source):
        message += f"; for one source it is source_actions={{{str(key)!r}: {{label: action}}}}"
    return message
