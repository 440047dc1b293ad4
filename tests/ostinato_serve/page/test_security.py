"""Who may ask the page, and for what."""

import pytest


@pytest.mark.parametrize(
    "path",
    [
        "/page/static/../routes.py",
        "/page/static/..%2froutes.py",
        "/page/static/%2e%2e/%2e%2e/config.py",
        "/page/static//etc/passwd",
        "/page/static/..%5croutes.py",
        "/page/samples/photos/..%2f..%2fsentences.txt",
        "/page/samples/photos/%2fetc%2fpasswd",
        "/page/videos/samples/..%2f..%2f..%2fpyproject.toml",
        "/page/templates/index.html",
        "/page/captions/../../pyproject.toml",
    ],
)
def test_no_address_leads_to_a_file_of_the_machine(ask, path):
    assert ask("GET", path).status_code in (404, 405)


@pytest.mark.parametrize("name", ["../../pyproject.toml", "/etc/passwd", "..", ""])
def test_no_name_of_a_sample_leads_to_a_file_of_the_machine(ask, name):
    for path in ("/page/captions", "/page/videos"):
        assert ask("POST", path, files={"sample": (None, name)}).status_code == 422
    assert ask("POST", "/page/gestures/sample", data={"sample": name}).status_code == 404


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "Sec-Fetch-Site": "cross-site"}, {"HX-Request": "no"}])
def test_another_page_cannot_make_a_browser_ask(ask, headers):
    answer = ask("POST", "/page/translations", headers=headers, data={"text": "two dogs", "target": "de"})
    assert answer.status_code == 403


def test_a_page_that_was_lured_here_under_another_name_is_refused(ask):
    assert ask("GET", "/", headers={"Host": "evil.example"}).status_code == 403


def test_with_a_token_a_browser_signs_in_once_and_the_rest_interface_still_wants_the_header(ask, make_application):
    application = make_application(token="secret")
    turned_away = ask("GET", "/", application=application)
    assert (turned_away.status_code, turned_away.headers["location"]) == (303, "page/sign-in")
    assert ask("POST", "/page/captions", application=application).status_code == 401
    assert ask("GET", "/page/static/page.css", application=application).status_code == 200
    assert 'name="token"' in ask("GET", "/page/sign-in", application=application).text
    wrong = ask("POST", "/page/sign-in", application=application, data={"token": "guess"})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (403, False)

    right = ask("POST", "/page/sign-in", application=application, data={"token": "secret"})
    cookie = right.headers["set-cookie"]
    assert "secret" not in cookie
    assert all(each in cookie for each in ("HttpOnly", "SameSite=strict"))
    cookies = dict(right.cookies)
    assert ask("GET", "/", application=application, cookies=cookies).status_code == 200
    assert ask("GET", "/v1/models/caption", application=application, cookies=cookies).status_code == 401
    forged = {name: value[:-1] + "_" for name, value in cookies.items()}
    assert ask("GET", "/", application=application, cookies=forged).status_code == 303
    bearer = {"Authorization": "Bearer secret"}
    assert ask("GET", "/v1/models/caption", application=application, headers=bearer).status_code == 200
