"""nncf draws on rich's one console, unless that is quiet."""

import rich


def drawn(capsys):
    from nncf.common.logging.track_progress import track

    assert list(track([1, 2, 3], description="Drawn")) == [1, 2, 3]
    return capsys.readouterr().out


def test_bars_are_still_drawn_on_standard_output_until_they_are_quiet(capsys, monkeypatch):
    from llmops.compat import nncf_internals

    monkeypatch.setattr(rich.get_console(), "quiet", False)
    assert "Drawn" in drawn(capsys), "quiet is no longer needed"
    nncf_internals.quiet()
    assert drawn(capsys) == ""
