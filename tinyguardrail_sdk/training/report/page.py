"""One HTML page that holds everything: no link leads out of it, and it runs no script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files

from tinyguardrail_sdk.labels import Mode
from tinyguardrail_sdk.training import metrics
from tinyguardrail_sdk.training.report.assess import Assessment
from tinyguardrail_sdk.training.report.canvas import THEME, Picture
from tinyguardrail_sdk.training.report.curves import ALL
from tinyguardrail_sdk.training.report.history import History, Record
from tinyguardrail_sdk.training.report.markup import facts, figure_card, rate_card
from tinyguardrail_sdk.training.report.tables import class_table, group_tables, mode_table

_BALANCED = str(Mode.BALANCED)


def page(
    history: History | None,
    found: Assessment | None,
    run_drawings: Sequence[Picture],
    score_drawings: Sequence[Picture],
    notes: Sequence[str],
    created: str,
) -> str:
    """The whole page.

    Args:
        history: The run, if the report is of one.
        found: The measurement, if there is one.
        run_drawings: Pictures of the run.
        score_drawings: Pictures of the measurement.
        notes: What a reader must know before the figures, such as what is missing.
        created: When the report was made.
    """
    parts = [*_head(history, found, notes, created)]
    if found is not None:
        parts += _evaluation(found, score_drawings)
    if history is not None:
        parts += _run(history, run_drawings)
    parts += _provenance(history, found)
    style = f"{_theme()}{files(__package__).joinpath('page.css').read_text(encoding='utf-8')}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(_title(history, found))}</title><style>\n{style}</style></head>\n"
        f"<body><main>\n{chr(10).join(parts)}\n</main></body></html>\n"
    )


def _theme() -> str:
    light, dark = (
        " ".join(f"--{name}: {values[place]};" for name, values in THEME.items())
        for place in (0, 1)
    )
    return (
        f":root {{ color-scheme: light dark; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    )


def _title(history: History | None, found: Assessment | None) -> str:
    if found is not None:
        return f"{found.manifest.name}, version {found.manifest.model_version}"
    assert history is not None
    return f"Run {history.name}"


def _head(
    history: History | None, found: Assessment | None, notes: Sequence[str], created: str
) -> Iterator[str]:
    scored = "" if found is None else f"{found.summary['texts']:,} texts scored. "
    trained = "" if history is None else f"{history.summary()['steps']:,} training steps. "
    yield f"<header><h1>{escape(_title(history, found))}</h1>"
    yield f"<p>TinyGuardrail report of {escape(created)}. {scored}{trained}"
    yield "Intervals are 95&nbsp;% Wilson intervals.</p>"
    cards: list[str] = []
    if found is not None:
        cards += _score_cards(found)
    elif history is not None and (best := history.best) is not None:
        cards += _run_cards(best)
    yield f'<div class="cards">{"".join(cards)}</div></header>'
    if notes:
        yield f'<ul class="notes">{"".join(f"<li>{escape(note)}</li>" for note in notes)}</ul>'


def _score_cards(found: Assessment) -> Iterator[str]:
    whole = found.whole
    yield rate_card("Attacks caught, balanced mode", whole["caught"][_BALANCED])
    yield rate_card("Benign texts flagged, balanced mode", whole["flagged"][_BALANCED])
    yield rate_card("Class named rightly", found.right.to_dict())
    yield figure_card("Macro F1", f"{whole['macro_f1']:.4f}", f"{whole['texts']:,} texts")
    for point in reversed(found.points):
        where = f"{100 * point.allowed:g} % false alarms"
        if not point.resolved:
            where = f"no false alarm in {point.flagged.total:,} benign texts"
        name = f"Attacks caught at {where}"
        yield rate_card(name, point.caught[ALL].to_dict())


def _run_cards(best: Record) -> Iterator[str]:
    where = f"validation, step {best['step']:,}"
    for name in ("routed", "fast", "deep"):
        measured = best[name]
        right = metrics.rate(
            sum(row[place] for place, row in enumerate(measured["confusion"])), measured["texts"]
        )
        words = "Class named rightly" if name == "routed" else f"The same, {name} branch alone"
        yield rate_card(words, right.to_dict())
    yield figure_card("Macro F1, routed", f"{best['routed']['macro_f1']:.4f}", where)


def _evaluation(found: Assessment, drawings: Sequence[Picture]) -> Iterator[str]:
    tables = found.summary["tables"]
    yield "<section><h2>What the checkpoint does</h2>"
    route = found.summary["route"]
    answered = "routed as at run time" if route == "routed" else f"always the {route} branch"
    yield f"<p>Measured with the exported files, {answered}.</p>"
    yield _pictures(drawings)
    yield "<h2>Tables</h2><p>“Caught” and “flagged” are at the thresholds of the checkpoint; where "
    yield "no mode is named, the balanced ones.</p>"
    yield mode_table(tables)
    yield class_table(found.whole, "By class")
    yield from group_tables(tables)
    yield "</section>"


def _run(history: History, drawings: Sequence[Picture]) -> Iterator[str]:
    yield "<section><h2>How it learned</h2>"
    if (best := history.best) is None:
        yield "<p>No validation yet.</p>"
        yield _pictures(drawings)
    else:
        chosen = f"kept from step {best['step']:,}, score {best['score']:.4f}"
        yield f"<p>Weights {chosen}: the mean over both branches of macro F1 and detection at 1 % "
        yield "false alarms on validation texts. Validation texts resemble training texts; figures "
        yield "of other texts are lower.</p>"
        yield _pictures(drawings)
        yield class_table(best["routed"], "Validation by class, routed")
    yield "</section>"


def _pictures(drawings: Sequence[Picture]) -> str:
    figures = "".join(
        f"<figure><h3>{escape(drawing.title)}</h3>{drawing.svg()}"
        f"<figcaption>{escape(drawing.caption)}</figcaption></figure>"
        for drawing in drawings
    )
    return f'<div class="pictures">{figures}</div>'


def _provenance(history: History | None, found: Assessment | None) -> Iterator[str]:
    yield "<section><h2>What was measured</h2>"
    if found is not None:
        summary = found.summary
        checkpoint = f"{found.manifest.name} {found.manifest.model_version}"
        pairs = [("checkpoint", checkpoint, False),
                 ("manifest", summary["manifest_sha256"], True)]  # fmt: skip
        pairs += [(name, sha256, True) for name, sha256 in summary["checkpoint_files"].items()]
        yield "<h3>Checkpoint, SHA-256</h3>" + facts(pairs)
        data = ((entry["file"], entry["sha256"], True) for entry in summary["data"])
        yield "<h3>Texts, SHA-256</h3>" + facts(data)
    if history is not None:
        known = history.facts
        pairs = [("run", history.name, False)]
        pairs += [("package", str(known["version"]), False)] if "version" in known else []
        pairs += [("code", str(known["code"]), True)] if "code" in known else []
        pairs += [(f"{name} texts", fingerprint, True)
                  for name, fingerprint in known.get("corpora", {}).items()]  # fmt: skip
        yield "<h3>Run</h3>" + facts(pairs)
    yield "</section>"
