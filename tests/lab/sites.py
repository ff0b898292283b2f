# SPDX-License-Identifier: Apache-2.0
"""Good documents served by nginx: web roots and configuration.

Reads a fixture folder (its index.json is described in the README there) and
prepares a folder DIR for one nginx: DIR/www/HOST/..., DIR/sites.json,
DIR/nginx.conf.  Two ways to listen:

  by address   each host at its own addresses, port 443 (network namespace)
  loopback     all hosts at one port of 127.0.0.1; besides, each document is
               served at https://127.0.0.1:PORT/HOST/PATH with client_id and
               jwks_uri rewritten to match
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jose
from ca import CA

Entry = dict[str, Any]

# Any id is a client: documents without end, for tests of bounds and budgets.
MANY_HOST = "many-clients.example.net"
MANY_ID = "0000"
MANY = {
    "name": "many", "role": "client", "expect": "accept",
    "url": f"https://{MANY_HOST}/c/{MANY_ID}",
    "content_type": "application/json", "headers": [],
    "template": {"sample": MANY_ID, "pattern": "^/c/(?<id>[A-Za-z0-9-]+)$"},
    "document": {
        "client_id": f"https://{MANY_HOST}/c/{MANY_ID}",
        "client_name": f"Client {MANY_ID}",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    },
}

CONF = """daemon off;
user root;
master_process off;
pid {dir}/nginx.pid;
error_log {dir}/nginx-error.log notice;
events {{ worker_connections 1024; }}
http {{
    log_format lab escape=json '{{"host":"$host","target":"$request_uri",'
        '"status":$status,"method":"$request_method","sent":$bytes_sent,'
        '"if_none_match":"$http_if_none_match","agent":"$http_user_agent",'
        '"peer":"$remote_addr"}}';
    access_log {dir}/nginx-access.log lab;
    types {{ }}
    default_type application/octet-stream;
    client_body_temp_path {dir}/tmp;
    proxy_temp_path {dir}/tmp;
    fastcgi_temp_path {dir}/tmp;
    uwsgi_temp_path {dir}/tmp;
    scgi_temp_path {dir}/tmp;
    keepalive_requests 100000;
    server_names_hash_bucket_size 128;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:lab:1m;
{servers}}}
"""


class Site(NamedTuple):
    """One host: its name and the addresses it listens on."""

    host: str
    addresses: list[str]


def load(folder: str) -> list[Entry]:
    """The entries of a fixture folder, each with its file's bytes."""
    with open(os.path.join(folder, "index.json"), encoding="utf-8") as src:
        entries = json.load(src)
    for entry in entries:
        if "file" in entry:
            with open(os.path.join(folder, entry["file"]), "rb") as src:
                entry["body"] = src.read().decode()
    many = dict(MANY)
    many["body"] = json.dumps(many.pop("document"), indent=2)
    return entries + [many]


def hosts(entries: list[Entry]) -> list[str]:
    """The host names, each once, in order."""
    return list(dict.fromkeys(str(urlsplit(e["url"]).hostname)
                              for e in entries))


def quoted(text: str) -> str:
    """A single-quoted nginx string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def put(path: str, data: str) -> None:
    """Replace a file in one step, so that nginx never sees half of it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as out:
        out.write(data)
    os.replace(path + ".new", path)


class Sites:
    """What nginx serves, written below a folder."""

    def __init__(self, folder: str, entries: list[Entry], ca: CA) -> None:
        self.folder, self.entries, self.ca = folder, entries, ca
        self.root = os.path.join(folder, "www")
        os.makedirs(os.path.join(folder, "keys"), exist_ok=True)
        os.makedirs(os.path.join(folder, "tmp"), exist_ok=True)

    def keys(self) -> None:
        """Make the key pairs that the index asks for."""
        for entry in self.entries:
            want = entry.get("generate")
            if want is None:
                continue
            pem = os.path.join(self.folder, "keys", entry["name"] + ".pem")
            key = jose.Key.create(want["alg"], pem, want["kid"])
            entry["key"] = pem
            entry["body"] = json.dumps(jose.jwks(key), indent=2)

    def write(self, sites: list[Site], port: int = 443,
              base: str | None = None) -> str:
        """Write everything; return the path of nginx.conf.

        base, "https://127.0.0.1:PORT", asks for the loopback way.
        """
        self.keys()
        servers = [self._server(site, port) for site in sites]
        if base is not None:
            servers.insert(0, self._loopback_server(base, port))
        for entry in self.entries:
            self._place(entry, base)
        listing = [{k: v for k, v in e.items() if k != "body"}
                   for e in self.entries]
        put(os.path.join(self.folder, "sites.json"),
            json.dumps(listing, indent=1) + "\n")
        conf = os.path.join(self.folder, "nginx.conf")
        put(conf, CONF.format(dir=self.folder, servers="".join(servers)))
        return conf

    def _place(self, entry: Entry, base: str | None) -> None:
        """Put a document into the web roots, and its URLs into the entry."""
        parts = urlsplit(entry["url"])
        entry["published_url"] = entry["url"]
        entry["path"] = os.path.join(self.root, str(parts.hostname),
                                     parts.path.lstrip("/"))
        served = entry["role"] != "variant" and "template" not in entry
        if served:
            put(entry["path"], entry["body"])
        if base is None:
            return
        entry["url"] = f"{base}/{parts.hostname}{parts.path}"
        if served:
            put(os.path.join(self.root, "127.0.0.1", str(parts.hostname),
                             parts.path.lstrip("/")),
                rewrite(entry["body"], base))

    def _server(self, site: Site, port: int) -> str:
        leaf = self.ca.leaf([site.host])
        lines = [f"listen {literal(a)}:{port} ssl;" for a in site.addresses]
        lines += [f"server_name {site.host};",
                  f"ssl_certificate {leaf.cert};",
                  f"ssl_certificate_key {leaf.key};",
                  f"root {self.root}/{site.host};"]
        for entry in self.entries:
            parts = urlsplit(entry["url"])
            if parts.hostname == site.host and entry["role"] != "variant":
                lines.append(self._location(entry, parts.path, "", None))
        return "    server {\n        " + "\n        ".join(lines) + "\n    }\n"

    def _loopback_server(self, base: str, port: int) -> str:
        leaf = self.ca.leaf(["127.0.0.1", "localhost"])
        lines = [f"listen 127.0.0.1:{port} ssl default_server;",
                 "server_name 127.0.0.1 localhost;",
                 f"ssl_certificate {leaf.cert};",
                 f"ssl_certificate_key {leaf.key};",
                 f"root {self.root}/127.0.0.1;"]
        for entry in self.entries:
            if entry["role"] == "variant":
                continue
            parts = urlsplit(entry["url"])
            lines.append(self._location(
                entry, parts.path, f"/{parts.hostname}", base))
        return "    server {\n        " + "\n        ".join(lines) + "\n    }\n"

    def _location(self, entry: Entry, path: str, prefix: str,
                  base: str | None) -> str:
        inner = [f"default_type {quoted(entry['content_type'])};"]
        inner += [f"add_header {name} {quoted(value)} always;"
                  for name, value in entry["headers"]]
        template = entry.get("template")
        if template is None:
            where = f"= {prefix}{path}"
        else:
            pattern = template["pattern"].replace("^", "^" + prefix, 1)
            where = f'~ "{pattern}"'
            body = rewrite(entry["body"], base) if base else entry["body"]
            body = json.dumps(json.loads(body), separators=(",", ":"))
            body = body.replace(template["sample"], "${id}")
            inner.append(f"return 200 {quoted(body)};")
        return f"location {where} {{ {' '.join(inner)} }}"


def literal(address: str) -> str:
    """An address as nginx and URLs want it."""
    return f"[{address}]" if ":" in address else address


def rewrite(body: str, base: str) -> str:
    """Move client_id and jwks_uri under base; nothing else changes."""
    return re.sub(r'("(?:client_id|jwks_uri)":\s*")https://',
                  lambda found: found.group(1) + base + "/", body)
