"""Engines that ask an endpoint: OpenAI-compatible ones and hosted inference."""
