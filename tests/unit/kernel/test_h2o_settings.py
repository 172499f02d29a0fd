"""The login of an operator's own H2O cluster: given or not, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotpath import settings
from hotpath.errors import BadConfig

SECRET = "s3cr3t-of-h2o"


def test_without_a_user_there_is_no_login() -> None:
    assert settings.load().h2o.login is None


def test_the_login_comes_from_the_environment_and_no_text_of_the_settings_shows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOTPATH__H2O__USER", "trainer")
    monkeypatch.setenv("HOTPATH__H2O__PASSWORD", SECRET)
    found = settings.load()
    assert found.h2o.login == ("trainer", SECRET)
    assert all(SECRET not in text for text in (repr(found), str(found.h2o), found.model_dump_json()))


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (
            f"password: {SECRET}, user: trainer",
            "Field required",
        ),  # of a missing key all that was given is shown
        (f"password: {SECRET}, port: 1, memory: 1g, deadline_s: 1", "beside h2o.user"),
        (f"password: [{SECRET}], user: u, port: 1, memory: 1g, deadline_s: 1", "valid string"),
        (f"password: {SECRET}, user: 7, port: 1, memory: 1g, deadline_s: 1", "valid string"),
    ],
)
def test_an_error_of_the_section_does_not_show_the_password(
    tmp_path: Path, section: str, expected: str
) -> None:
    lines = settings.DEFAULT.read_text().splitlines()
    file = tmp_path / "settings.yaml"
    file.write_text("\n".join(f"h2o: {{{section}}}" if at.startswith("h2o:") else at for at in lines))
    with pytest.raises(BadConfig, match=expected) as caught:
        settings.load(file)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)
