"""What several tests of the labs need."""

import pytest
from jaxtyping import config


@pytest.fixture
def unchecked():
    """Signatures are not checked, as in the running lab: there a lab says in its own words what does not fit."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)
