"""Draws text with the colors of a terminal as an SVG: python terminal.py FILE < TEXT"""

import sys
from io import StringIO

from rich.console import Console
from rich.text import Text

# Without the web font of Rich: a illustration in a page loads nothing, and every system has a monospaced font.
FORMAT = """<svg viewBox="0 0 {terminal_width} {terminal_height}" xmlns="http://www.w3.org/2000/svg">
<title>A session of the ideogram command</title>
<style>
.{unique_id}-matrix {{
    font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
    font-size: {char_height}px;
    line-height: {line_height}px;
    font-variant-east-asian: full-width;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
<rect width="{terminal_width}" height="{terminal_height}" rx="8" fill="#292929"/>
<g transform="translate(9, 12)" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> None:
    console = Console(record=True, width=102, file=StringIO(), force_terminal=True)
    for line in sys.stdin.read().splitlines():
        text = Text.from_ansi(line)
        if line.startswith("$ "):
            text.stylize("bold")
        console.print(text, soft_wrap=False)
    # Room below the last line.
    console.print()
    illustration = console.export_svg(title="A session", code_format=FORMAT, unique_id="session")
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write("\n".join(line.rstrip() for line in illustration.splitlines()) + "\n")


main()
