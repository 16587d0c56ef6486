"""Certificates for one test: an authority of its own, and what it signs for servers on the loopback and for clients."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.services import server
from tests.services.left_out import leave_out


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM: the certificate and its key (PKCS#8, not encrypted)."""

    certificate: Path
    key: Path


class Authority:
    """Signs for two days. ``ca.certificate`` is what those who trust it need."""

    def __init__(self, folder: Path) -> None:
        """Leaves the test out where there is no openssl."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._openssl = server.program("openssl") or leave_out("openssl", "no openssl on the path to make a certificate with")
        self.ca = self._files("ca")
        self._run("req", "-x509", *self._new(self.ca), "-days", "2", "-subj", "/CN=authority", "-out", str(self.ca.certificate))

    def sign(self, name: str) -> Certificate:
        """A certificate for ``name`` and 127.0.0.1."""
        made, request, extra = self._files(name), self._folder / f"{name}.csr", self._folder / f"{name}.ext"
        self._run("req", *self._new(made), "-subj", f"/CN={name}", "-out", str(request))
        extra.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n", encoding="ascii")
        authority = ["-CA", str(self.ca.certificate), "-CAkey", str(self.ca.key), "-CAcreateserial"]
        self._run("x509", "-req", "-in", str(request), *authority, "-days", "2", "-extfile", str(extra), "-out", str(made.certificate))
        return made

    def _files(self, name: str) -> Certificate:
        return Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")

    def _new(self, made: Certificate) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(made.key)]

    def _run(self, *command: str) -> None:
        subprocess.run([self._openssl, *command], check=True, capture_output=True, timeout=30)
        for key in self._folder.glob("*.key"):
            key.chmod(0o644)  # the server may run as another user
