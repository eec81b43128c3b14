"""The computed sample, from which the example notebooks of the documentation read."""

from tests.e2e.conftest import computed_template, sample_template

__all__ = ["computed_template", "sample_template"]
