"""What a share link exposes is said, and a password guards it; the owner's keys stay the owner's."""

from llmops.public import owner_keys
from llmops.public.sharing import USER, door


def test_a_page_that_is_not_shared_has_no_door_and_says_nothing():
    assert door(False, False, {}) == door(False, True, {}) == door(True, False, {"SYSTEM": "spaces"})
    assert door(False, False, {}).auth is None and not door(False, False, {}).said


def test_a_share_link_demands_a_password_that_nobody_can_guess():
    first, second = door(True, False, {}), door(False, False, {"GRADIO_SHARE": "True"})
    assert first.auth[0] == second.auth[0] == USER
    assert len(first.auth[1]) >= 12 and first.auth[1] != second.auth[1]
    assert first.auth[1] in first.said and "internet" in first.said


def test_a_password_of_ones_own_is_used_and_not_repeated():
    made = door(True, False, {"LLMOPS_SHARE_PASSWORD": "correct horse"})
    assert made.auth == (USER, "correct horse")
    assert "correct horse" not in made.said


def test_open_says_that_whoever_has_the_link_is_in():
    made = door(True, True, {})
    assert made.auth is None and "no password" in made.said


def test_the_owners_keys_leave_the_environment_of_a_public_page(monkeypatch):
    monkeypatch.setattr(owner_keys, "_kept", {})
    environment = {"HF_TOKEN": "hf_owner", "OPENAI_API_KEY": "sk-owner", "OTHER": "stays"}
    assert owner_keys.keep_from_visitors(environment) == ["HF_TOKEN", "OPENAI_API_KEY"]
    assert environment == {"OTHER": "stays"}
    assert owner_keys.hub_token() == "hf_owner"


def test_an_owner_can_lend_the_keys(monkeypatch):
    monkeypatch.setattr(owner_keys, "_kept", {})
    environment = {"HF_TOKEN": "hf_owner", "LLMOPS_LEND_KEYS": "1"}
    assert owner_keys.keep_from_visitors(environment) == []
    assert environment["HF_TOKEN"] == "hf_owner"
