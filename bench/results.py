"""What a run measured, kept beside the code: a table in Markdown and a plot, `bench/results/NAME.md` and `.svg`.

    save("claims", "Claim and complete, jobs a second", {"signalbox": 900.0, "pg-boss": 540.0})
    save("depth", "Claims, milliseconds", {"1,000 waiting": 2.1, "1,000,000 waiting": 2.4}, unit="ms")

Absolute figures say more about the machine than about the programs: the ratio is to the first.
"""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parent / "results"
WIDTH, BAR, GAP, NAMES = 720, 22, 8, 190  # of a plot, in pixels


def save(
    name: str,
    title: str,
    values: Mapping[str, float],
    *,
    ratios: Mapping[str, float] | None = None,
    unit: str = "a second",
    missing: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Path:
    """Write the table and the plot of one comparison. `ratios`: where they are not those of the values."""
    folder = folder or FOLDER
    folder.mkdir(exist_ok=True)
    first = next(iter(values.values()), 1.0)
    ratios = ratios or {who: value / first for who, value in values.items()}
    lines = [f"# {title}", "", when(), "", f"| | {unit} | ratio |", "|---|---|---|"]
    lines += [f"| {who} | {value:,.1f} | {ratios.get(who, 1):.2f} |" for who, value in values.items()]
    lines += [f"| {who} | not measured | {why} |" for who, why in (missing or {}).items()]
    lines += ["", f"![{title}]({name}.svg)", ""]
    path = folder / f"{name}.md"
    path.write_text("\n".join(lines))
    (folder / f"{name}.svg").write_text(plot(title, values))
    return path


def when() -> str:
    day = datetime.now(UTC).date()
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return f"{day}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load} at the end."


def plot(title: str, values: Mapping[str, float]) -> str:
    """Bars, as SVG."""
    most = max(values.values(), default=1.0) or 1.0
    height = 40 + len(values) * (BAR + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="8" y="20" font-weight="bold">{escape(title)}</text>',
    ]
    for place, (who, value) in enumerate(values.items()):
        y = 34 + place * (BAR + GAP)
        width = max(1, round((WIDTH - NAMES - 100) * value / most))
        colour = "#2f6f4f" if place == 0 else "#9aa5ad"
        parts.append(f'<text x="8" y="{y + 15}">{escape(who)}</text>')
        parts.append(f'<rect x="{NAMES}" y="{y}" width="{width}" height="{BAR}" fill="{colour}"/>')
        parts.append(f'<text x="{NAMES + width + 6}" y="{y + 15}">{value:,.1f}</text>')
    return "\n".join([*parts, "</svg>", ""])
