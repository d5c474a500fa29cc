"""A fake OpenID provider at the HTTP edge: signs in whoever comes, as Hugging Face would."""

import base64
import json
import time
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.support.fake_server import FakeServer, Handler

TOKEN = "hf_visitorsOwnToken"
USER = "ada"


class FakeOpenId(FakeServer):
    """`environment()` is what a Space with hf_oauth gets."""

    def __init__(self) -> None:
        self._key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self._nonces: dict[str, str] = {}
        self.scopes: list[str] = []
        provider = self

        class Provider(Handler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(address.query).items()}
                if address.path.endswith("openid-configuration"):
                    self._json(provider.metadata())
                elif address.path == "/jwks":
                    self._json({"keys": [provider._key.as_dict(private=False)]})
                else:  # /authorize: nobody is asked, the browser goes straight back
                    provider.scopes.append(query["scope"])
                    provider._nonces["code"] = query.get("nonce", "")
                    back = query["redirect_uri"]
                    more = urlencode({"code": "code", "state": query["state"]})
                    self.begin(302, {"Location": f"{back}{'&' if '?' in back else '?'}{more}"})

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                given = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
                assert given == "client:secret"
                self._json(provider.token())

            def _json(self, data: dict) -> None:
                self.answer(200, json.dumps(data).encode())

        super().__init__(Provider)

    def metadata(self) -> dict:
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        return {"issuer": self.url, **{name: f"{self.url}/{path}" for name, path in places.items()}}

    def token(self) -> dict:
        now = int(time.time())
        claims = {"iss": self.url, "sub": "1", "aud": "client", "iat": now, "exp": now + 3600, "name": "Ada"}
        claims |= {"preferred_username": USER, "nonce": self._nonces["code"], "profile": "", "picture": ""}
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self._key)
        about = {"token_type": "bearer", "expires_in": 3600, "scope": self.scopes[-1]}
        return {"access_token": TOKEN, "id_token": signed, **about}

    def environment(self) -> dict[str, str]:
        names = {"OAUTH_CLIENT_ID": "client", "OAUTH_CLIENT_SECRET": "secret", "OPENID_PROVIDER_URL": self.url}
        return {**names, "OAUTH_SCOPES": "openid profile inference-api gated-repos"}
