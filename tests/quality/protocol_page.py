"""What docs/failover-protocol.md says of the table, from the table itself; run as a program it writes the page anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reconciler.failover.protocol.decide import REGISTERED
from reconciler.failover.protocol.registry import CONDITIONS, FACTS
from reconciler.failover.protocol.table import TABLE, Asked, Rule
from reconciler.failover.protocol.values import Step

PAGE = Path(__file__).resolve().parents[2] / "docs" / "failover-protocol.md"
BEGIN, END = "<!-- generated -->\n", "<!-- end -->\n"

ASKED = {
    Asked.NOTHING: "this cluster is not the site's (P19)",
    Asked.CLOSE: "this cluster was restored or cloned (P19)",
    Asked.STOP: "a stop order stands (P3), the lease ran out (P6), the guard stopped it, or another site was promoted",
    Asked.HOLD: "frozen (P1), suspended, or Git was not read yet",
    Asked.ASSUME: "the newest epoch names this site",
    Asked.YIELD: "the newest epoch names another site, planned, or none",
}
"""When each is asked. In the order of `Asked`: the first that holds."""


ORDERED = {(step, asked): TABLE[step, asked] for step in Step for asked in Asked}
"""The table in an order that does not change from run to run."""


def generated() -> str:
    """Everything between the two marks."""
    assert REGISTERED
    parts = (_asked(), _diagram(), _cells(), _facts(), _conditions())
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _asked() -> Iterator[str]:
    yield "| asked | when |"
    yield "|---|---|"
    yield from (f"| {asked.value} | {ASKED[asked]} |" for asked in Asked)


def _diagram() -> Iterator[str]:
    """The steps, and what is asked where one leads to another."""
    edges: dict[tuple[Step, Step], list[str]] = {}
    for (step, asked), rules in ORDERED.items():
        for rule in rules:
            for then in sorted(rule.then - {step}, key=list(Step).index):
                words = edges.setdefault((step, then), [])
                words += [asked.value] if asked.value not in words else []
    yield "### Steps"
    yield ""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {Step.PASSIVE.value}"
    for (step, then), words in edges.items():
        yield f"    {step.value} --> {then.value}: {', '.join(words)}"
    yield "```"


def _cells() -> Iterator[str]:
    """One table for each list of rules, under all the pairs that have it."""
    grouped: dict[tuple[Rule, ...], list[tuple[Step, Asked]]] = {}
    for cell, rules in ORDERED.items():
        grouped.setdefault(rules, []).append(cell)
    first = True
    for rules, cells in grouped.items():
        if not first:
            yield ""
        first = False
        yield f"### {_pairs(cells)}"
        yield ""
        yield "| rule | where | needs | leads to | because |"
        yield "|---|---|---|---|---|"
        yield from (_row(rule) for rule in rules)


def _pairs(cells: list[tuple[Step, Asked]]) -> str:
    steps = list(dict.fromkeys(step for step, _ in cells))
    asked = list(dict.fromkeys(each for _, each in cells))
    places = "Any step" if len(steps) == len(Step) else ", ".join(step.value for step in steps)
    return f"{places}: asked to {' or '.join(_verb(each) for each in asked)}"


def _verb(asked: Asked) -> str:
    return "do nothing" if asked is Asked.NOTHING else asked.value


def _row(rule: Rule) -> str:
    where = ", ".join(_code(each) for each in rule.when)
    needs = ", ".join(_code(each) for each in rule.needs)
    leads = ", ".join(sorted(step.value for step in rule.then))
    because = " ".join("an adoption" if each == "A" else each for each in rule.rules.split())
    return f"| {rule.name} | {where} | {needs} | {leads} | {because} |"


def _code(name: str) -> str:
    bare = name.removeprefix("not ")
    return f"`{bare}`" if bare == name else f"not `{bare}`"


def _facts() -> Iterator[str]:
    yield "### Facts"
    yield ""
    yield "| fact | means |"
    yield "|---|---|"
    yield from (f"| `{name}` | {_paragraph(function.__doc__)} |" for name, function in sorted(FACTS.items()))


def _conditions() -> Iterator[str]:
    yield "### Conditions"
    yield ""
    yield "| condition | holds when | because |"
    yield "|---|---|---|"
    for name, condition in sorted(CONDITIONS.items()):
        yield f"| `{name}` | {_paragraph(condition.check.__doc__)} | {condition.rules} |"


def _paragraph(text: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((text or "").strip().partition("\n\n")[0].split())


def written(page: str) -> str:
    """The page with what is generated in its place."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin
    assert end
    return before + BEGIN + generated() + END + after


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
