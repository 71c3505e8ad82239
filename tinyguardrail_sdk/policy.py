"""What to do about what the network said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tinyguardrail_sdk.errors import PolicyError
from tinyguardrail_sdk.frozen import FrozenDict
from tinyguardrail_sdk.labels import LABELS, Action, Label, Mode


def _attacks_only(actions: Mapping[Label, Action]) -> Mapping[Label, Action]:
    if Label.BENIGN in actions:
        raise ValueError("benign text is always allowed; name an attack label")
    if Action.REDACT in actions.values():
        # Accepting it while nothing is redacted would let the attack through.
        raise ValueError("redact is not available in this version; use flag or block")
    return FrozenDict(actions)


_FROZEN = (
    "a Policy is frozen: make another one, policy.model_copy(update={{'{name}': ...}}), and a new "
    "Guard(policy=...) with it"
)


class Policy(BaseModel):
    """How a guard decides; immutable: `policy.model_copy(update={"mode": "strict"})` makes another.

    Attributes:
        mode: The trade-off between missed attacks and false alarms. It picks the threshold that
            the checkpoint's manifest holds for the source of the text.
        actions: What to do with an attack of each label at or above the threshold. Labels that
            are not named are blocked.
        max_chars: Refuse longer texts with `InputTooLong`. By default there is no cap and the
            whole text is checked, whatever its length.
        on_error: What becomes of a text when the check itself breaks: `"raise"` a `CheckFailed`,
            or answer with a verdict that says `"block"` or `"allow"`. Wrong input and a damaged
            checkpoint always raise.

    Raises:
        PolicyError: A setting is unknown or has an impossible value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode = Mode.BALANCED
    actions: Annotated[Mapping[Label, Action], AfterValidator(_attacks_only)] = FrozenDict()
    max_chars: Annotated[int, Field(gt=0)] | None = None
    on_error: Literal["raise", "block", "allow"] = "raise"

    if not TYPE_CHECKING:  # checkers keep the signature that pydantic derives from the fields

        def __init__(self, **settings: Any) -> None:
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

    def decide(self, scores: Sequence[float], threshold: float) -> tuple[Label, Action]:
        """Turn what the network said into what is reported and done.

        Args:
            scores: Calibrated probabilities in the order of `LABELS`.
            threshold: Risk from which a text counts as an attack.
        """
        if 1.0 - scores[0] < threshold:
            return Label.BENIGN, Action.ALLOW
        attack = max(range(1, len(LABELS)), key=scores.__getitem__)
        return LABELS[attack], self.actions.get(LABELS[attack], Action.BLOCK)


def _remedy(error: ValidationError) -> str:
    problems = (
        f"{'.'.join(map(str, problem['loc'])) or 'policy'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)
    )
    return "; ".join(problems)
