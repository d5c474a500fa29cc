"""Pools with the settings of the test's own environment. Test code only."""

from dataclasses import replace

from llmops.core.settings import load_settings
from llmops.runtime.pool import Pool


def make_pool(budget_bytes=None, engines=None, permit=None):
    """A pool with so many bytes. engines: kind → engine; None for the app's own."""
    return Pool(replace(load_settings(), pool_budget_bytes=budget_bytes), engines, permit)
