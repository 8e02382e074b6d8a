# SPDX-License-Identifier: GPL-2.0
"""What all our pictures have in common: how they look, what is above them, and where they go."""

import sys

import matplotlib

matplotlib.use("Agg")

# pylint: disable=wrong-import-position
from matplotlib import pyplot as plt

DPI = 200
NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}

plt.rcParams.update(
    {
        "font.size": 10,
        "axes.titlesize": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "svg.hashsalt": "smp",
    }
)


def fail(text):
    """Ends with one line."""
    sys.exit(text)


def head(figure, title, source):
    """Says above the picture what it shows and where it comes from."""
    figure.suptitle(title, x=0.02, y=0.98, ha="left", va="top", fontsize=14, fontweight="bold")
    height = figure.get_figheight()
    figure.text(0.02, 1 - 0.42 / height, source, ha="left", va="top", fontsize=9.5, color="#444444")


def write_svg(path, text):
    """Writes a picture with its licence, which an XML declaration must precede."""
    lines = [line.rstrip() for line in text.splitlines()]
    lines.insert(lines[0].startswith("<?xml"), "<!-- SPDX-License-Identifier: GPL-2.0 -->")
    path.write_text("\n".join(lines) + "\n")


def save(figure, path):
    """Writes the picture, as PNG and as SVG."""
    for kind in ("png", "svg"):
        file = path.with_suffix("." + kind)
        figure.savefig(file, dpi=DPI, metadata=NO_METADATA if kind == "svg" else None)
        if kind == "svg":
            write_svg(file, file.read_text())
        print(file)
    plt.close(figure)
