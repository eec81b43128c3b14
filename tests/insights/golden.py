"""Write the golden notes again, to be read before they are committed."""

import re
from pathlib import Path

from riskmetrics.insights.claims import claims_of
from riskmetrics.insights.plan import LEADING_TYPE, plan_by_rules
from riskmetrics.insights.realize import realize_note
from tests.insights.situations import SITUATIONS, situation

NOTES = Path(__file__).parent / "golden_notes.md"


def write_note(name: str) -> str:
    """Return the daily summary of a situation as Markdown."""
    sheet = situation(name)
    claims = claims_of(sheet)
    plan = plan_by_rules(claims, LEADING_TYPE)
    if plan is None:
        return "Nothing to tell."
    text = realize_note(plan, claims, sheet)
    advice = " ".join(each["text"] for each in text.recommendations)
    parts = [
        f"**{text.title}**",
        text.summary,
        text.full_analysis,
        *(f"- {each['text']}" for each in text.key_findings if "column" not in each),
        f"*{advice}*" if advice else "",
    ]
    return "\n\n".join(part for part in parts if part)


def read_notes() -> dict[str, str]:
    """Return the committed notes by situation."""
    parts = re.split(r"^## (.+)\n\n", NOTES.read_text(), flags=re.MULTILINE)[1:]
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


def main() -> None:
    """Write all notes."""
    notes = "\n\n".join(f"## {name}\n\n{write_note(name)}" for name in SITUATIONS)
    NOTES.write_text(f"# Golden notes\n\n{notes}\n")


if __name__ == "__main__":
    main()
