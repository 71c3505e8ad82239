"""Arguments that a guard does not take are refused with where they belong."""

import pytest

from tinyguardrail_sdk import Guard, InputError


@pytest.mark.parametrize("name", ["mode", "allow", "shadow", "max_chars"])
def test_a_setting_given_to_the_guard_is_sent_to_the_policy(name: str) -> None:
    with pytest.raises(InputError, match=rf"Guard\(policy=Policy\({name}=\.\.\.\)\)"):
        Guard(**{name: "strict"})  # type: ignore[arg-type]


def test_what_no_guard_and_no_policy_knows_is_a_wrong_argument() -> None:
    with pytest.raises(TypeError, match="Guard takes no 'modus'"):
        Guard(modus="strict")  # type: ignore[arg-type]
