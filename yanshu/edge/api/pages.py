"""The interactive page over our OpenAPI document, from files on this machine: it works where there is no internet."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

# The package is only read as a folder: importing it would load web frameworks' adapters nobody needs.
_PACKAGE = "swagger_ui"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".png": "image/png"}
# Scripts, styles and calls from here only; the icons of the page are drawn from data: addresses.
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Yanshu API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

# The document's own validator badge would call a service on the internet.
_START = """window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""
_MADE = {"index.html": ("text/html; charset=utf-8", _PAGE), "start.js": (_TYPES[".js"], _START)}
_FILES = frozenset({"swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"})


class File(Struct, frozen=True):
    """One file of the page."""

    media_type: str
    content: bytes


@lru_cache(maxsize=8)
def page_file(name: str) -> File | None:
    """Return a file of the page (`index.html` is the page), or None for a name that is none of it."""
    if made := _MADE.get(name):
        return File(made[0], made[1].encode())
    if name not in _FILES:
        return None
    path = _folder() / name
    return File(_TYPES[path.suffix], path.read_bytes())


def _folder() -> Path:
    """Return where the package keeps its files."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{_PACKAGE} is not installed; run `make setup`")
    return Path(spec.submodule_search_locations[0]) / "static"
