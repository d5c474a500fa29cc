"""What the browser's tests share."""

import pytest

from tests.support import browsing


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium; each visitor is a context of its own."""
    with browsing.chromium() as found:
        yield found
