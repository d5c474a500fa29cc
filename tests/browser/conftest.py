"""What the browser's tests share."""

import pytest

from tests.support import browsing


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium, one a file."""
    with browsing.chromium() as found:
        yield found
