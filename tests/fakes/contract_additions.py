"""What the shared contracts leave out, in their own terms, so that both sides are held to it too."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"

_JWT_GRANT: Json = {  # developers.google.com/identity/protocols/oauth2/service-account
    "type": "object",
    "properties": {
        "grant_type": {"const": JWT_BEARER},
        "assertion": {"type": "string", "pattern": r"^[A-Za-z0-9_=-]+\.[A-Za-z0-9_=-]+\.[A-Za-z0-9_=-]+$"},
    },
    "required": ["grant_type", "assertion"],
    "additionalProperties": False,
}


def _query(name: str, **schema: Any) -> Json:
    return {"name": name, "in": "query", "required": True, "schema": {"type": "string", **schema}}


_ADMIN_CONSENT: Json = {  # learn.microsoft.com/entra/identity-platform/v2-admin-consent
    "parameters": [
        {
            "name": "tenant",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": "^(?!common$)[0-9A-Za-z.-]+$"},
        }
    ],
    "get": {
        "operationId": "ms.adminConsent",
        "parameters": [
            _query("client_id"),
            _query("scope", minLength=1),
            _query("redirect_uri", format="uri"),
            _query("state"),
        ],
        "responses": {"200": {"description": "the page"}, "302": {"description": "to redirect_uri"}},
    },
}


def add_to(name: str, document: Json) -> None:
    """Complete a contract, by the name of its file."""
    if name == "google_oauth.openapi.json":
        body = document["paths"]["/token"]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]
        body["schema"]["oneOf"].append(_JWT_GRANT)
    if name == "microsoft_identity.openapi.json":
        document["paths"]["/{tenant}/v2.0/adminconsent"] = _ADMIN_CONSENT
