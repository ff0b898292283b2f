# SPDX-License-Identifier: Apache-2.0
"""The authorization code flow as a browser and a client go through it.

    flow = Flow(kc.realm_url("mcp"), CLIENT_ID, REDIRECT_URI)
    page = flow.authorize(resource="https://mcp.example.com/mcp")
    page = flow.login(page)            # the consent page, or back at the client
    page = flow.consent(page)
    tokens = flow.exchange(page)       # PKCE included

or all of it, where nothing is to be looked at: tokens = flow.run().
"""

from __future__ import annotations

import base64
import hashlib
import html
import http.cookiejar
import json
import re
import secrets
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, NamedTuple

from keycloak import USER, USER_PASSWORD

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Page(NamedTuple):
    """An answer: status, where it leads to, where it stands, its text."""

    status: int
    location: str | None
    url: str
    body: str

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def text(self) -> str:
        """What a user reads, on one line."""
        body = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", " ", self.body)
        plain = html.unescape(re.sub(r"<[^>]*>", " ", body))
        return re.sub(r"\s+", " ", plain).strip()

    def form(self) -> tuple[str, dict[str, str]]:
        """Where its form goes to, and its hidden fields."""
        found = re.search(r'<form[^>]*\baction="([^"]+)"', self.body)
        assert found is not None, f"no form: {self.status} {self.text()}"
        fields = {}
        for tag in re.findall(r"<input[^>]*>", self.body):
            name = re.search(r'\bname="([^"]+)"', tag)
            value = re.search(r'\bvalue="([^"]*)"', tag)
            if name and value and 'type="hidden"' in tag:
                fields[name[1]] = html.unescape(value[1])
        return html.unescape(found[1]), fields


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Redirects are looked at, not followed."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Loopback(http.cookiejar.DefaultCookiePolicy):
    """Browsers send Secure cookies to loopback, also over plain http."""

    def return_ok_secure(self, cookie: Any, request: Any) -> bool:
        return True


class Browser:
    """Cookies, and one request at a time."""

    def __init__(self) -> None:
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(
                http.cookiejar.CookieJar(Loopback())), NoRedirect)

    def open(self, url: str, form: dict[str, str] | None = None,
             **headers: str) -> Page:
        """GET, or POST of a form."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        return self.send(urllib.request.Request(url, data, headers))

    def post_json(self, url: str, body: Any, **headers: str) -> Page:
        """POST of JSON."""
        return self.send(urllib.request.Request(
            url, json.dumps(body).encode(),
            {"Content-Type": "application/json", **headers}))

    def send(self, request: urllib.request.Request) -> Page:
        """One request."""
        try:
            answer = self.opener.open(request, timeout=120)
        except urllib.error.HTTPError as exc:
            answer = exc
        with answer:
            return Page(answer.status, answer.headers.get("Location"),
                        request.full_url, answer.read().decode())

    def follow(self, page: Page, stop: str) -> Page:
        """Follow redirects until one leads to the client."""
        while page.location and not page.location.startswith(stop):
            page = self.open(urllib.parse.urljoin(page.url, page.location))
        return page


class Flow:
    """One client and one user at one realm."""

    def __init__(self, issuer: str, client_id: str, redirect_uri: str,
                 browser: Browser | None = None) -> None:
        self.issuer, self.client_id = issuer, client_id
        self.redirect_uri = redirect_uri
        self.browser = browser or Browser()
        self.oidc = issuer + "/protocol/openid-connect"
        self.verifier = secrets.token_urlsafe(40)

    def parameters(self, **more: str | None) -> dict[str, str]:
        """Those of an authorization request; None leaves one out."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        found: dict[str, str | None] = {
            "response_type": "code", "client_id": self.client_id,
            "redirect_uri": self.redirect_uri, "scope": "openid",
            "state": secrets.token_hex(8), "code_challenge": challenge,
            "code_challenge_method": "S256", **more}
        return {k: v for k, v in found.items() if v is not None}

    def authorize(self, **more: str | None) -> Page:
        """The authorization request: a login page, or an error."""
        query = urllib.parse.urlencode(self.parameters(**more))
        page = self.browser.open(f"{self.oidc}/auth?{query}")
        return self.browser.follow(page, self.redirect_uri)

    def submit(self, page: Page, **fields: str) -> Page:
        """Fill in the form of a page and follow to the next one."""
        where, hidden = page.form()
        url = urllib.parse.urljoin(page.url, where)
        page = self.browser.open(url, {**hidden, **fields})
        return self.browser.follow(page, self.redirect_uri)

    def login(self, page: Page, user: str = USER,
              password: str = USER_PASSWORD) -> Page:
        """Send name and password."""
        return self.submit(page, username=user, password=password,
                           credentialId="")

    def consent(self, page: Page) -> Page:
        """Say yes, where there is something to consent to."""
        if page.location is not None:
            return page
        return self.submit(page, accept="Yes")

    def answer(self, page: Page) -> dict[str, str]:
        """What the client gets back."""
        assert page.location is not None, f"{page.status} {page.text()}"
        parts = urllib.parse.urlsplit(page.location)
        return dict(urllib.parse.parse_qsl(parts.query))

    def token(self, **form: str) -> Page:
        """A request to the token endpoint."""
        return self.browser.open(f"{self.oidc}/token", {
            "client_id": self.client_id, **form})

    def exchange(self, page: Page, **form: str) -> dict[str, Any]:
        """Code for tokens; it must work."""
        answer = self.answer(page)
        assert "code" in answer, answer
        page = self.token(grant_type="authorization_code",
                          code=answer["code"], code_verifier=self.verifier,
                          redirect_uri=self.redirect_uri, **form)
        assert page.status == 200, f"{page.status} {page.body}"
        found: dict[str, Any] = page.json()
        return found

    def run(self, **more: str | None) -> dict[str, Any]:
        """The whole flow."""
        page = self.login(self.authorize(**more))
        return self.exchange(self.consent(page))

    def refresh(self, tokens: dict[str, Any], **form: str) -> Page:
        """Refresh token for tokens."""
        return self.token(grant_type="refresh_token",
                          refresh_token=tokens["refresh_token"], **form)

    def push(self, **more: str | None) -> Page:
        """A pushed authorization request (RFC 9126)."""
        form = self.parameters(**more)
        return self.browser.open(f"{self.oidc}/ext/par/request", form)


def claims(token: str) -> dict[str, Any]:
    """What a token says."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found
