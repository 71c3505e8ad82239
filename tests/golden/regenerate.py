"""`python tests/golden/regenerate.py` writes what the shipped checkpoint says into `answers.jsonl`.

For a new checkpoint. Read what it prints: a label that changed is a decision, not a formality.
"""

import json
import sys
from pathlib import Path

from tinyguardrail_sdk import Guard

ANSWERS = Path(__file__).parent / "answers.jsonl"


def main() -> None:
    """Judge every text again and print what changed."""
    guard = Guard()
    lines = []
    for line in ANSWERS.read_text("utf-8").splitlines():
        case = json.loads(line)
        verdict = guard.check(case["text"], source=case["source"])
        answer = {"label": str(verdict.label), "risk": round(verdict.risk, 3)}
        if answer["label"] != case.get("label"):
            sys.stdout.write(f"{case['id']}: {case.get('label')} -> {answer['label']}\n")
        lines.append(json.dumps({**case, **answer}, ensure_ascii=False))
    ANSWERS.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
