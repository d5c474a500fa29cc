"""The app as a Space runs it: the rehearsal in short, and a visitor who signs in (with a fake OpenID provider)."""

import pytest

from tests import space
from tests.support import browsing
from tests.support.browsing import expect
from tests.support.fake_endpoint import FakeEndpoint
from tests.support.fake_openid import TOKEN, USER, FakeOpenId


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    """(running Space with sign-in, the endpoint that its hosted candidates ask)."""
    with FakeOpenId() as openid, FakeEndpoint("ok") as hosted:
        nowhere = {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9"}  # a hub that is not in reach
        more = {
            **openid.environment(),
            "LLMOPS_HOSTED_BASE_URL": hosted.url,
            "HF_TOKEN": "hf_theOwnersToken",
            **nowhere,
        }
        with space.running(tmp_path_factory.mktemp("space"), **more) as running:
            yield running, hosted, openid


def test_a_space_starts_without_a_writable_home_and_serves_page_and_api(rehearsed, browser):
    running, _, _ = rehearsed
    machine = space.drive_page(browser, running)
    assert "2 cores, 16 GiB RAM, no GPU" in machine
    assert {run["label"] for run in space.drive_api(running)} == {"positive"}
    assert space.trouble(running.log.read_text()) == []


def test_fake_openid_who_signs_in_uses_the_own_token_and_nobody_the_owners(rehearsed, browser):
    running, hosted, openid = rehearsed
    link = browsing.link(running.address, "hosted/openai/gpt-oss-120b", language="de") + "&ui=de"
    page = browsing.open_page(browser, link)
    browsing.run(page, space.TEXT)
    browsing.wait_finished(page, 1)
    page.get_by_role("button", name="Mit Hugging Face anmelden").click()
    expect(page.get_by_role("button", name=f"Abmelden ({USER})")).to_be_visible(timeout=30_000)
    assert set(openid.scopes[-1].split()) >= {"inference-api", "gated-repos"}
    selected = {"task=medical", "lang=de", "ui=de", "c=hosted%2Fopenai%2Fgpt-oss-120b"}
    assert selected <= set(page.url.partition("?")[2].split("&"))  # the way through the provider keeps the selection
    expect(page.locator("#machine textarea, #machine input")).not_to_have_value("", timeout=60_000)
    browsing.run(page, space.TEXT)
    browsing.wait_finished(page, 1)
    sent = [header.get("authorization", "") for header in hosted.headers]
    assert sent, page.locator(".lo-column:visible").all_inner_texts()
    assert sent[-1] == f"Bearer {TOKEN}" and len(sent) >= 2
    assert not any(TOKEN in header for header in sent[:-1]) and not any("theOwners" in header for header in sent)
    assert TOKEN not in running.log.read_text() and TOKEN not in page.content() and TOKEN not in page.url
    page.get_by_role("button", name=f"Abmelden ({USER})").click()
    expect(page.get_by_role("button", name="Mit Hugging Face anmelden")).to_be_visible(timeout=30_000)
    assert selected <= set(page.url.partition("?")[2].split("&"))
    page.context.close()
