"""What a share link exposes is said, and a password guards it; the owner's keys stay the owner's."""

from llmops.public import owner_keys
from llmops.public.sharing import USER, share_access


def test_a_page_that_is_not_shared_has_no_door_and_says_nothing():
    assert (
        share_access(False, False, {})
        == share_access(False, True, {})
        == share_access(True, False, {"SYSTEM": "spaces"})
    )
    assert share_access(False, False, {}).auth is None and not share_access(False, False, {}).message


def test_a_share_link_demands_a_password_that_nobody_can_guess():
    first, second = share_access(True, False, {}), share_access(False, False, {"GRADIO_SHARE": "True"})
    assert first.auth[0] == second.auth[0] == USER
    assert len(first.auth[1]) >= 12 and first.auth[1] != second.auth[1]
    assert first.auth[1] in first.message and "internet" in first.message


def test_a_password_of_ones_own_is_used_and_not_repeated():
    access = share_access(True, False, {"LLMOPS_SHARE_PASSWORD": "correct horse"})
    assert access.auth == (USER, "correct horse")
    assert "correct horse" not in access.message


def test_open_says_that_whoever_has_the_link_is_in():
    access = share_access(True, True, {})
    assert access.auth is None and "no password" in access.message


def test_the_owners_keys_leave_the_environment_of_a_public_page(monkeypatch):
    monkeypatch.setattr(owner_keys, "_withheld", {})
    environment = {"HF_TOKEN": "hf_owner", "OPENAI_API_KEY": "sk-owner", "OTHER": "stays"}
    assert owner_keys.withhold(environment) == ["HF_TOKEN", "OPENAI_API_KEY"]
    assert environment == {"OTHER": "stays"}
    assert owner_keys.hub_token() == "hf_owner"


def test_an_owner_can_lend_the_keys(monkeypatch):
    monkeypatch.setattr(owner_keys, "_withheld", {})
    environment = {"HF_TOKEN": "hf_owner", "LLMOPS_LEND_KEYS": "1"}
    assert owner_keys.withhold(environment) == []
    assert environment["HF_TOKEN"] == "hf_owner"
