"""Examples at the end of a command's help, for the commands that need no more said there."""

from __future__ import annotations

EXAMPLES = {
    "generate": """\
  tinyguardrail data generate --output data --total 45000
  tinyguardrail data generate --output data --pool collected --seed 8 --overwrite
  tinyguardrail data generate --output data --total 1000000 --workers 8
""",
    "vocabulary": """\
  tinyguardrail data vocabulary --output vocab.txt
  tinyguardrail data vocabulary --base my-base/vocab.txt --output vocab.txt
""",
    "mine": """\
  tinyguardrail data mine data/train.jsonl.gz --output data/hard.jsonl.gz
  tinyguardrail data mine data/train.jsonl.gz --checkpoint my-guard --sure 0.9 --output hard.jsonl
""",
    "mutate": """\
  tinyguardrail data mutate data/train.jsonl.gz --output data/mutants.jsonl.gz
  tinyguardrail data mutate data/train.jsonl.gz --only-missed --output data/missed.jsonl.gz
""",
    "average": """\
  tinyguardrail average runs/b/best runs/a/best --output runs/mean
  tinyguardrail average runs/b/best shipped --share 0.75 --output runs/mean
""",
    "export": """\
  tinyguardrail export --run runs/guard/best --output my-guard --model-version 1.0.0
  tinyguardrail export --run runs/guard/best --output my-guard --release --workers 2
""",
    "calibrate": """\
  tinyguardrail calibrate --checkpoint my-guard --validation data/validation.jsonl.gz
  tinyguardrail calibrate --checkpoint my-guard --benign my_logs.jsonl --target-fpr 0.005
""",
    "evaluate": """\
  tinyguardrail evaluate data/test.jsonl.gz
  tinyguardrail evaluate data/eval --checkpoint my-guard --workers 2 --output result.json
""",
    "robustness": """\
  tinyguardrail robustness data/test.jsonl.gz
  tinyguardrail robustness data/test.jsonl.gz --checkpoint my-guard --texts 300 --mode strict
""",
    "report": """\
  tinyguardrail report --run runs/guard --output report
  tinyguardrail report --checkpoint my-guard --data data/test.jsonl.gz --output report
""",
    "compare": """\
  tinyguardrail compare my-guard
  tinyguardrail compare my-guard --against old-guard --data data/test.jsonl.gz --mode strict
""",
}
