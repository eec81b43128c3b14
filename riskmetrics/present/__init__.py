"""Presentation shared by commands, report, insights and UI: formats, footnotes and caveats."""
