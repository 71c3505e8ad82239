"""What holds for the reasoning of a model, which is held back as its answer is."""

from typing import Any

import pytest

from tests.adapters.calling import Calling
from tests.adapters.shapes import ATTACK, LONG, QUESTION, Make, Shape
from tests.adapters.wire import PIECE, Wire
from tinyguardrail_sdk import Blocked, Guard


class Reasoning(Calling):
    """The rules, for the shapes whose dialect has reasoning."""

    def test_benign_reasoning_is_as_without_a_guard(
        self, form: Make, reasoning: Shape, guard: Guard, wire: Wire
    ) -> None:
        wire.reasoning = "Think: Seine."
        plain = self.run(form(wire, 0), None, reasoning, reasoning.dialect.ask(QUESTION))
        guarded = self.run(form(wire, 0), guard, reasoning, reasoning.dialect.ask(QUESTION))
        assert repr(guarded) == repr(plain)
        assert "Seine" in repr(guarded)

    def test_an_attack_in_the_reasoning_is_not_released(
        self, form: Make, reasoning: Shape, guard: Guard, wire: Wire
    ) -> None:
        wire.reasoning = f"{ATTACK} and more"
        out: list[Any] = []
        with pytest.raises(Blocked):
            self.run(form(wire, 0), guard, reasoning, reasoning.dialect.ask(QUESTION), out)
        assert len(wire.bodies) == 1
        assert ATTACK[:PIECE] not in repr(out)

    def test_long_reasoning_flows_until_the_attack(
        self, form: Make, thinking: Shape, guard: Guard, wire: Wire
    ) -> None:
        wire.reasoning = LONG + ATTACK + LONG
        self.flows_until_the_attack(form(wire, 0), thinking, guard)
