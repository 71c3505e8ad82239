"""What programs print and programmers paste: diffs, logs, traces, minified scripts, patterns."""

from __future__ import annotations

import random

from tinyguardrail_sdk.training.data.benign.blobs.size import Blob, letters, lines, many
from tinyguardrail_sdk.training.data.carriers import phrase

_HEX = "0123456789abcdef"
_NOUNS = (
    "user order cart price token page cache index buffer node event row batch frame config session "
    "image path query worker queue item total offset stream header shape key timer file map group"
).split()
_VERBS = (
    "get set load save parse render update find merge split send read write close open build check "
    "sort clean fetch flush reset apply drop delete init ignore override bypass skip"
).split()


def _name(rng: random.Random) -> str:
    verb, noun = rng.choice(_VERBS), rng.choice(_NOUNS)
    return rng.choice(
        (f"{verb}_{noun}", f"{verb}{noun.title()}", f"{noun}_{verb}_done", noun, noun)
    )


def _path(rng: random.Random) -> str:
    folders = [rng.choice(("src", "lib", "app", "core", "tests", "pkg", "internal", *_NOUNS))]
    folders += rng.sample(_NOUNS, rng.randint(0, 2))
    return "/".join([*folders, rng.choice(_NOUNS)]) + rng.choice((".py", ".ts", ".go", ".rs", ".c"))


def _code(rng: random.Random) -> str:
    a, b, c = (_name(rng) for _ in range(3))
    number = rng.randrange(500)
    return rng.choice(
        (f"{a} = {b}({c}, {number})", f"if {a} is None:", f"return {a}[{number}]",
         f"for {a} in {b}:",
         f"def {a}(self, {b}):", f"{a} += {b}.{c}", f"raise ValueError('{a}')", f"import {a}",
         f"const {a} = await {b}({{ {c}: {number} }});", f"}} else if ({a} > {number}) {{",
         f"// TODO: {b} {c}", f"# do not {b} before {c}", f"assert {a} == {number}",
         f"log({a}, {b})",
         f"let mut {a}: Vec<u{rng.choice((8, 32, 64))}> = {b}.{c}();",
         f"fmt.Println({a}, {number})")
    )  # fmt: skip


def diff(rng: random.Random) -> str:
    """A git diff of random code."""
    parts: list[str] = []
    for _ in range(many(rng, 1, 4)):
        path, at = _path(rng), rng.randint(1, 400)
        old, new = (letters(rng, _HEX, 7, 8) for _ in range(2))
        parts += [f"diff --git a/{path} b/{path}", f"index {old}..{new} 100644"]
        parts += [f"--- a/{path}", f"+++ b/{path}", f"@@ -{at},{rng.randint(3, 9)} +{at},7 @@"]
        indent = " " * rng.choice((0, 2, 4, 8))
        for _ in range(many(rng, 3, 14)):
            parts.append(rng.choice((" ", "+", "-")) + indent + _code(rng))
    return "\n".join(parts if rng.random() < 0.7 else parts[4:])


def conflict(rng: random.Random) -> str:
    """A merge conflict between two versions of random code."""
    ours, theirs = (lines(rng, _code, 1, 8) for _ in range(2))
    branch = f"{rng.choice(('feature', 'fix', 'origin'))}/{_name(rng)}"
    body = f"<<<<<<< HEAD\n{ours}\n=======\n{theirs}\n>>>>>>> {branch}"
    return "\n".join([lines(rng, _code, 1, 12), body, lines(rng, _code, 1, 12)])


def change(rng: random.Random) -> str:
    """A patch as mailing lists carry it: the message, what changed, and the diff."""
    path = _path(rng)
    added, removed = rng.randint(1, 40), rng.randint(0, 40)
    head = (
        f"From: {phrase(rng, 'fullname')} <{phrase(rng, 'mailbox')}>\n"
        f"Subject: [PATCH] {_name(rng)}: {rng.choice(_VERBS)} the {rng.choice(_NOUNS)}\n\n"
        f"---\n {path} | {added + removed} {'+' * (added % 9 + 1)}{'-' * (removed % 9)}\n"
    )
    return f"{head}\n{diff(rng)}"


def git_log(rng: random.Random) -> str:
    """Commits of a history, long or one a line."""
    long = rng.random() < 0.4

    def one(rng: random.Random) -> str:
        subject = f"{rng.choice(('fix', 'feat', 'docs', 'Revert', 'chore', 'Add', 'Remove'))}"
        subject += f"{rng.choice((': ', ' '))}{_name(rng)} in {rng.choice(_NOUNS)}"
        if not long:
            return f"{letters(rng, _HEX, 7, 9)} {subject}"
        who = f"{phrase(rng, 'fullname')} <{phrase(rng, 'mailbox')}>"
        commit = "".join(rng.choices(_HEX, k=40))
        return f"commit {commit}\nAuthor: {who}\nDate:   {phrase(rng, 'date')}\n\n    {subject}\n"

    return lines(rng, one, 2, 12 if long else 40)


def trace(rng: random.Random) -> str:
    """A stack trace in the manner of a few languages."""
    error = rng.choice(
        ("KeyError: {}", "TypeError: cannot read property '{}' of undefined", "ValueError: bad {}",
         "java.lang.NullPointerException: {}", "IndexError: list index out of range",
         "panic: nil {}",
         "TimeoutError: {} took too long", "PermissionError: [Errno 13] denied: '{}'")
    ).format(_name(rng))  # fmt: skip
    frames = many(rng, 2, 22)
    style = rng.choice(("python", "js", "java"))
    if style == "python":
        rows = [
            f'  File "/{rng.choice(("srv", "opt/app", "usr/lib"))}/{_path(rng)}", line '
            f"{rng.randint(2, 900)}, in {_name(rng)}\n    {_code(rng)}"
            for _ in range(frames)
        ]
        return "\n".join(["Traceback (most recent call last):", *rows, error])
    if style == "js":
        rows = [
            f"    at {_name(rng)} ({_path(rng)}:{rng.randint(1, 900)}:{rng.randint(1, 80)})"
            for _ in range(frames)
        ]
        return "\n".join([f"Uncaught {error}", *rows])
    where = [f"com.{rng.choice(_NOUNS)}.{rng.choice(_NOUNS).title()}" for _ in range(frames)]
    rows = [f"\tat {w}.{_name(rng)}({w.split('.')[-1]}.java:{rng.randint(9, 900)})" for w in where]
    more = f"\n\t... {rng.randint(3, 60)} more" if rng.random() < 0.5 else ""
    return "\n".join([f'Exception in thread "main" {error}', *rows]) + more


def minified(rng: random.Random) -> str:
    """JavaScript or CSS without a blank too many."""
    if rng.random() < 0.3:
        return "".join(_rule(rng) for _ in range(many(rng, 2, 40)))

    def piece(rng: random.Random) -> str:
        a, b, c = (letters(rng, "abcdefghijklmnoprstuvxyzE$_", 1, 2) for _ in range(3))
        noun, number = _name(rng), rng.randrange(10_000)
        return rng.choice(
            (f"var {a}={b}.{noun}||{{}};", f"function {a}({b},{c}){{return {b}?{c}:{number}}}",
             f"!function({a}){{{a}.{noun}=!0}}({b});", f"{a}.exports={b}({number});",
             f"for(var {a}=0;{a}<{b}.length;{a}++){c}.push({b}[{a}]);", f'{a}["{noun}"]=void 0,',
             f"const {a}={b}=>{c}.map(({a},{b})=>{a}*{number}+{b});", f"{a}&&{b}({c}),")
        )  # fmt: skip

    return "".join(piece(rng) for _ in range(many(rng, 2, 60)))


def _rule(rng: random.Random) -> str:
    unit = rng.choice(("px", "rem", "%", "vh"))
    style = rng.choice(
        (f"margin:{rng.randrange(90)}{unit}", f"color:#{letters(rng, _HEX, 6, 7)[:6]}",
         f"flex:1 1 {rng.randrange(99)}%", "display:none!important",
         f"z-index:{rng.randrange(9999)}")
    )  # fmt: skip
    return f".{rng.choice(_NOUNS)}-{rng.choice(_NOUNS)}>a:hover{{{style}}}"


def pattern(rng: random.Random) -> str:
    """Regular expressions."""

    def atom(rng: random.Random) -> str:
        low, high = sorted(rng.sample(range(1, 20), 2))
        return rng.choice(
            (r"\d+", r"\w*", r"\s?", "[a-z]", "[^,;]+", "[A-Z0-9._%+-]", r"(?:\.\d{2})?", ".*?",
             r"\b",
             f"\\d{{{low},{high}}}", f"(?P<{rng.choice(_NOUNS)}>\\w+)", "(?i)", "(?=.*[0-9])", "|",
             f"({rng.choice(_NOUNS)}|{rng.choice(_NOUNS)})", r"\/", "@", "-", "#?",
             r"[\u00C0-\u017F]")
        )  # fmt: skip

    def one(rng: random.Random) -> str:
        body = "".join(atom(rng) for _ in range(many(rng, 3, 16)))
        return rng.choice(("^{}$", "/{}/g", "{}", "r'{}'")).replace("{}", body)

    return lines(rng, one, 1, 6)


def server_log(rng: random.Random) -> str:
    """Lines of a log with times, levels and addresses."""

    def one(rng: random.Random) -> str:
        hour, minute, second = rng.randrange(24), rng.randrange(60), rng.randrange(60)
        level = rng.choice(("INFO", "INFO", "DEBUG", "WARN", "ERROR"))
        stamp = f"{hour:02}:{minute:02}:{second:02}.{rng.randrange(1000):03}"
        return f"{day} {stamp} {level} [{rng.choice(_NOUNS)}-{rng.randrange(9)}] " + phrase(
            rng, "logmessage"
        )

    day = f"20{rng.randint(20, 26)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    return lines(rng, one, 2, 30)


PROGRAMS: dict[str, Blob] = {
    "diff": diff,
    "merge conflict": conflict,
    "patch": change,
    "git log": git_log,
    "stack trace": trace,
    "minified code": minified,
    "regex": pattern,
    "log": server_log,
}
