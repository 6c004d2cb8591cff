"""Run ``deploy/nginx.conf`` without any rights, in front of processes of this machine."""

from __future__ import annotations

import datetime
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.crowd import ROOT, free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
CONFIG = ROOT / "deploy" / "nginx.conf"
NAME, PASSWORD = "class", "open-sesame"


def write_certificate(folder: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    (folder / "lab.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "lab.key").write_bytes(key.private_bytes(*form))


def own_config(folder: Path, port: int, replicas: list[str]) -> str:
    """Return the example with these ports and files in the place of its own, and nothing else changed."""
    text = CONFIG.read_text(encoding="utf-8")
    servers = zip(("127.0.0.1:8501", "# server 127.0.0.1:8502"), (replicas[0], f"server {replicas[-1]}"), strict=True)
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/lab.example.crt", f"{folder}/lab.crt"),
        ("/etc/ssl/lab.example.key", f"{folder}/lab.key"),
        ("/etc/nginx/rerank-lab.password", f"{folder}/password"),
        *list(servers)[: len(replicas)],
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, replicas: list[str]) -> Iterator[int]:
    """Run nginx in front of one or two processes (``host:port``); give its port."""
    port = free_port()
    write_certificate(folder)
    (folder / "password").write_text(f"{NAME}:{{PLAIN}}{PASSWORD}\n")
    (folder / "site.conf").write_text(own_config(folder, port, replicas))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    packed = "gzip on; gzip_types *;"  # as an nginx that is there already may have it: Debian's packs pages
    # Started by root, its workers would become somebody who cannot read the folder.
    user = "user root; " if os.geteuid() == 0 else ""
    (folder / "main.conf").write_text(
        f"{user}daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ log_format seats '$status $upstream_addr $uri $http_upgrade';\n"
        f"access_log {folder}/access.log seats; {temporary}{packed} include {folder}/site.conf; }}\n"
    )
    server = subprocess.Popen([NGINX, "-p", folder, "-e", folder / "error.log", "-c", folder / "main.conf"])
    try:
        wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def wait_for(port: int, server: subprocess.Popen) -> None:
    end = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < end:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("nginx did not start")
