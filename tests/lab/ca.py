# SPDX-License-Identifier: Apache-2.0
"""A certification authority for the laboratory (P-256, openssl command).

    ca = CA("/some/new/folder")
    leaf = ca.leaf(["claude.ai"])            good; leaf.cert, leaf.key
    leaf = ca.leaf(["claude.ai"], "expired")

ca.path is a hashed directory (c_rehash layout), fit for CURLOPT_CAPATH and
for `curl --capath`; ca.file is the same root as a PEM file.

From a shell:  python3 ca.py FOLDER NAME[,NAME...] [KIND]   prints the paths.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import subprocess
import sys
import tempfile
import threading
from typing import NamedTuple

KINDS = ("good", "expired", "future", "wrongname", "addressonly", "selfsigned",
         "clientonly", "badissuer", "unknownca", "intermediate", "constrained")
ADDRESS = "93.184.216.200"  # of no name that a certificate here is for

LONG_AGO = "20200101000000Z"
PAST = "20210101000000Z"
FUTURE = "20480101000000Z"
FAR = "20490101000000Z"

CONFIG = """
[ca]
default_ca = lab
[lab]
database = {db}/index.txt
new_certs_dir = {db}
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
x509_extensions = ext
[any]
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
CN = {cn}
[ext]
basicConstraints = critical,CA:{is_ca}
keyUsage = critical,{usage}
subjectKeyIdentifier = hash
{extra}
"""


class Leaf(NamedTuple):
    """Paths of a certificate (with its intermediate, if any) and its key."""

    cert: str
    key: str


def openssl(*args: str) -> bytes:
    """Run openssl; CalledProcessError with its words when it fails."""
    try:
        done = subprocess.run(["openssl", *args], check=True,
                              capture_output=True, stdin=subprocess.DEVNULL)
    except subprocess.CalledProcessError as exc:
        sys.stderr.write(exc.stderr.decode(errors="replace"))
        raise
    return done.stdout


def new_key(path: str) -> str:
    """A new P-256 key in path, readable by its owner only."""
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-out", path)
    os.chmod(path, 0o600)
    return path


def alt_names(names: list[str]) -> str:
    """The subjectAltName line for host names and IP addresses."""
    parts = []
    for name in names:
        try:
            parts.append(f"IP:{ipaddress.ip_address(name)}")
        except ValueError:
            parts.append(f"DNS:{name}")
    return "subjectAltName = " + ",".join(parts)


def write(path: str, text: str) -> str:
    """Write text into path and return path."""
    with open(path, "w", encoding="ascii") as out:
        out.write(text)
    return path


class CA:
    """One root, its hashed directory, and leaf certificates on demand."""

    def __init__(self, folder: str) -> None:
        """Make a new authority in folder, or use the one that is there."""
        self.folder = folder
        self.path = os.path.join(folder, "hashed")
        self.file = os.path.join(folder, "root.pem")
        self.key = os.path.join(folder, "root.key")
        self.leaf_key = os.path.join(folder, "leaf.key")
        self.lock = threading.Lock()
        self.cache: dict[tuple[tuple[str, ...], str], Leaf] = {}
        if not os.path.exists(self.file):
            self._create()

    def _create(self) -> None:
        os.makedirs(self.path, exist_ok=True)
        new_key(self.leaf_key)
        self._root("Laboratory Root", self.key, self.file)
        digest = openssl("x509", "-in", self.file, "-noout", "-hash")
        link = os.path.join(self.path, digest.decode().strip() + ".0")
        os.symlink(os.path.relpath(self.file, self.path), link)

    def _root(self, name: str, key: str, cert: str) -> None:
        new_key(key)
        self._sign(name, "root", [], (key, key, None), cert)

    def _sign(self, name: str, role: str, extra: list[str],
              keys: tuple[str, str, str | None], cert: str,
              dates: tuple[str, str] = (LONG_AGO, FAR)) -> None:
        """Make cert: keys are (subject, issuer, issuer's certificate)."""
        subject_key, issuer_key, issuer = keys
        is_ca = role != "leaf"
        if issuer:
            extra = extra + ["authorityKeyIdentifier = keyid:always"]
        with tempfile.TemporaryDirectory(dir=self.folder) as work:
            write(f"{work}/index.txt", "")
            config = write(f"{work}/conf", CONFIG.format(
                db=work, cn=name, is_ca="TRUE" if is_ca else "FALSE",
                usage="keyCertSign,cRLSign" if is_ca else "digitalSignature",
                extra="\n".join(extra)))
            openssl("req", "-new", "-config", config, "-key", subject_key,
                    "-out", f"{work}/csr")
            signer = ["-cert", issuer] if issuer else ["-selfsign"]
            openssl("ca", "-batch", "-notext", "-config", config,
                    "-keyfile", issuer_key, *signer, "-in", f"{work}/csr",
                    "-startdate", dates[0], "-enddate", dates[1],
                    "-out", f"{work}/cert")
            if issuer and issuer != self.file:
                append(f"{work}/cert", issuer)
            os.replace(f"{work}/cert", cert)

    def leaf(self, names: list[str], kind: str = "good") -> Leaf:
        """A certificate for names; the same object for the same question."""
        if kind not in KINDS:
            raise ValueError(f"no such kind of certificate: {kind}")
        with self.lock:
            wanted = (tuple(names), kind)
            if wanted not in self.cache:
                self.cache[wanted] = self._leaf(names, kind)
            return self.cache[wanted]

    def _leaf(self, names: list[str], kind: str) -> Leaf:
        label = hashlib.sha256(repr((names, kind)).encode()).hexdigest()
        cert = os.path.join(self.folder, f"leaf-{label[:16]}.pem")
        if os.path.exists(cert):
            return Leaf(cert, self.leaf_key)
        use = "clientAuth" if kind == "clientonly" else "serverAuth"
        shown = {"wrongname": ["wrong-name.example.net"],
                 "addressonly": [ADDRESS]}.get(kind, names)
        subject = names[0] if kind == "addressonly" else shown[0]
        extra = [f"extendedKeyUsage = {use}", alt_names(shown)]
        dates = {"expired": (LONG_AGO, PAST),
                 "future": (FUTURE, FAR)}.get(kind, (LONG_AGO, FAR))
        issuer_key, issuer = self._issuer(kind)
        self._sign(subject[:64], "leaf", extra,
                   (self.leaf_key, issuer_key, issuer), cert, dates)
        return Leaf(cert, self.leaf_key)

    def _issuer(self, kind: str) -> tuple[str, str | None]:
        """Key and certificate of whoever signs a leaf of this kind."""
        if kind == "selfsigned":
            return self.leaf_key, None
        if kind == "unknownca":
            return self._other_root()
        if kind == "badissuer":
            return self._bad_issuer()
        if kind == "intermediate":
            return self._intermediate(kind, "example.net")
        if kind == "constrained":
            return self._intermediate(kind, "other.example.net")
        return self.key, self.file

    def _intermediate(self, name: str, domain: str) -> tuple[str, str]:
        """An authority below the root that may sign for one domain."""
        key, cert = f"{self.folder}/{name}.key", f"{self.folder}/{name}.pem"
        if not os.path.exists(cert):
            new_key(key)
            self._sign(f"Laboratory {name}", "authority",
                       [f"nameConstraints = critical,permitted;DNS:{domain}"],
                       (key, self.key, self.file), cert)
        return key, cert

    def _other_root(self) -> tuple[str, str]:
        key, cert = f"{self.folder}/other.key", f"{self.folder}/other.pem"
        if not os.path.exists(cert):
            self._root("Unknown Root", key, cert)
        return key, cert

    def _bad_issuer(self) -> tuple[str, str]:
        """An ordinary leaf that will be misused to sign another leaf."""
        key, cert = f"{self.folder}/bad.key", f"{self.folder}/bad.pem"
        if not os.path.exists(cert):
            new_key(key)
            self._sign("issuer.example.net", "leaf",
                       [alt_names(["issuer.example.net"])],
                       (key, self.key, self.file), cert)
        return key, cert


def append(cert: str, issuer: str) -> None:
    """Put the issuer's certificate behind the leaf's in the same file."""
    with open(issuer, "rb") as src, open(cert, "ab") as out:
        out.write(src.read())


def main() -> int:
    """Make a certificate from the command line."""
    if len(sys.argv) not in (3, 4):
        print("usage: ca.py FOLDER NAME[,NAME...] [KIND]", file=sys.stderr)
        return 2
    authority = CA(sys.argv[1])
    leaf = authority.leaf(sys.argv[2].split(","), *sys.argv[3:])
    print(f"capath={authority.path}\ncafile={authority.file}\n"
          f"cert={leaf.cert}\nkey={leaf.key}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
