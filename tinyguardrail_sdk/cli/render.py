"""A verdict as people read it."""

from __future__ import annotations

from tinyguardrail_sdk.cli.terminal import paint, visible, width
from tinyguardrail_sdk.labels import Action, Mode
from tinyguardrail_sdk.verdict import Finding, Verdict

_HEADLINES = {
    Action.ALLOW: ("ALLOWED", "green"),
    Action.FLAG: ("FLAGGED", "yellow"),
    Action.REDACT: ("REDACTED", "yellow"),
    Action.BLOCK: ("BLOCKED", "red"),
}
_MAX_FINDINGS = 5
_CONTEXT = 20  # characters shown on each side of a marked part
_MARKED = 40  # characters of the marked part that are shown
_PREVIEW = 60
_INDENT = " " * 11


def verdict_lines(
    text: str, verdict: Verdict, mode: Mode, threshold: float, *, color: bool
) -> list[str]:
    """Describe a verdict in full, with excerpts of the text, and the mode with its threshold."""
    lines = [_headline(verdict, color=color)]
    if verdict.checked:
        lines[0] += f" (threshold {threshold:.3f}, mode {mode})"
    else:
        return [*lines, _field("reason", _why_unchecked(verdict), color)]
    scores = "  ".join(f"{label} {score:.3f}" for label, score in verdict.scores.items())
    seen, given = verdict.scanned
    answered = f"{verdict.route} ({verdict.latency_ms:.1f} ms, model {verdict.model_version})"
    lines += [
        _field("action", _action(verdict), color),
        _field("route", visible(answered), color),
        _field("scores", scores, color),
        _field("scanned", f"{seen:,} of {given:,} characters", color),
    ]
    if verdict.action is not Action.ALLOW and verdict.span != (0, len(text)):
        lines.append(_field("worst part", _characters(*verdict.span), color))
        lines += _excerpt(text, *verdict.span, color=color)
    strongest = sorted(verdict.findings, key=lambda finding: -finding.score)
    for finding in strongest[:_MAX_FINDINGS]:
        lines += _finding_lines(text, finding, color=color)
    if len(strongest) > _MAX_FINDINGS:
        lines.append(_field("finding", f"and {len(strongest) - _MAX_FINDINGS} more", color))
    return lines


def verdict_line(number: int, text: str, verdict: Verdict, *, color: bool) -> str:
    """Describe a verdict in one line, for batches."""
    preview = visible(text[:_PREVIEW]) + ("…" if len(text) > _PREVIEW else "")
    return f"{number:>6}  {_headline(verdict, color=color)}  {paint(preview, 'dim', on=color)}"


def error_line(number: int, error: str, *, color: bool) -> str:
    """Describe a line that could not be checked."""
    return f"{number:>6}  {paint('NOT CHECKED', 'red', on=color)}: {visible(error)}"


def _why_unchecked(verdict: Verdict) -> str:
    if verdict.rule is not None:
        return f"allowed unread by the rule {visible(verdict.rule)} of the policy"
    decided = "the check failed and the policy decided"
    return decided if verdict.error is None else f"{decided}: {visible(verdict.error)}"


def _action(verdict: Verdict) -> str:
    if verdict.shadowed is None:
        return str(verdict.action)
    return f"{verdict.action} (in shadow mode; {verdict.shadowed} without it)"


def _headline(verdict: Verdict, *, color: bool) -> str:
    word, tone = _HEADLINES[verdict.action]
    if not verdict.checked:
        return f"{paint(word, tone, on=color)}: not checked"
    return f"{paint(word, tone, on=color)}: {verdict.label}, risk {verdict.risk:.3f}"


def _finding_lines(text: str, finding: Finding, *, color: bool) -> list[str]:
    where = _characters(finding.start, finding.end)
    what = f"{finding.pattern} {finding.score:.2f}, {where}: {visible(finding.reason)}"
    lines = [_field("finding", what, color)]
    lines += _excerpt(text, finding.start, finding.end, color=color)
    if finding.decoded is not None:
        more = "…" if len(finding.decoded) > _PREVIEW else ""
        lines.append(f"{_INDENT}decoded: {visible(finding.decoded[:_PREVIEW])}{more}")
    return lines


def _excerpt(text: str, start: int, end: int, *, color: bool) -> list[str]:
    """Show a part of the text in its surroundings, coloured or with a line of carets below."""
    first, last = max(0, start - _CONTEXT), min(len(text), end + _CONTEXT)
    before = ("…" if first > 0 else "") + visible(text[first:start])
    after = visible(text[end:last]) + ("…" if last < len(text) else "")
    if end - start > _MARKED:
        half = _MARKED // 2
        marked = f"{visible(text[start : start + half])} … {visible(text[end - half : end])}"
    else:
        marked = visible(text[start:end])
    if color:
        return [f"{_INDENT}{before}{paint(marked, 'marked', on=True)}{after}"]
    carets = "^" * max(1, width(marked))
    return [f"{_INDENT}{before}{marked}{after}", f"{_INDENT}{' ' * width(before)}{carets}"]


def _field(name: str, value: str, color: bool) -> str:
    return f"{paint(f'{name:<11}', 'dim', on=color)}{value}"


def _characters(start: int, end: int) -> str:
    return f"characters {start:,} to {end:,}"
