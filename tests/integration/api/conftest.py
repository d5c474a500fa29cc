"""What the named endpoints' tests share."""

import pytest
from gradio_client import Client


@pytest.fixture(scope="module")
def client(running_app):
    return Client(running_app, verbose=False)
