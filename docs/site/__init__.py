"""Build of the documentation site: pages of ``docs``, and references made from the code."""
