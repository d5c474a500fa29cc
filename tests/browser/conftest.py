"""What the browser's tests share."""

import pytest

from tests.support import browsing


@pytest.fixture(scope="package")
def browser():
    """A headless Chromium; each visitor is a context of its own.

    It ends with this folder: Playwright's event loop counts as running in this thread for as long as it lives, and
    `asyncio.run` of a later test would be refused.
    """
    with browsing.chromium() as found:
        yield found
