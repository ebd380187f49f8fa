"""Real control planes on this machine: etcd and kube-apiserver, and with them whole sites.

An `ApiServer` is the pair that most tests need. A `ControlPlane` adds the controller manager, the scheduler and
kwok, which plays the kubelets. Everything of one server lies in one folder: data, keys, certificates, logs and
kubeconfig files; starting again in the same folder comes back with the same state, as a machine does after a
power cut.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from testbed.client import Client
from testbed.processes import Port, Process

ADMIN = "admin"
"""The user whose groups may do everything."""


@dataclass(frozen=True, slots=True)
class Options:
    """What may differ between servers. `request_timeout` in seconds; `durable` is for tests that kill etcd.

    `users` are static tokens beside the admin's: user name to groups; a user's token is its name and "-token".
    """

    request_timeout: int = 60
    durable: bool = False
    audit: bool = False
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    service_accounts: bool = False


class ApiServer:
    """etcd and kube-apiserver. `server` is the address, `ca_file` the certificate that clients trust."""

    def __init__(self, binaries: Path, folder: Path, options: Options = Options()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.options = options
        self.binaries = binaries
        self._ports = [Port(), Port(), Port()]
        client, peer, secure = self._ports
        self.server = f"https://127.0.0.1:{secure}"
        self.ca_file = folder / "certificates" / "apiserver.crt"
        self.audit_log = folder / "audit.jsonl"
        self.key_file = folder / "service-account.key"
        self.etcd = Process("etcd", _etcd(binaries, folder, client, peer, options), log=folder / "etcd.log")
        self.apiserver = Process(
            "kube-apiserver",
            [*_apiserver(binaries, self, client, secure), *_audit(self)],
            log=folder / "kube-apiserver.log",
        )

    @property
    def processes(self) -> list[Process]:
        """In the order in which they start."""
        return [self.etcd, self.apiserver]

    def start(self) -> Self:
        """Start everything, and wait until the API server says that it is ready."""
        self.launch()
        self.await_ready()
        return self

    def launch(self) -> None:
        """Start etcd and the API server, and do not wait for them."""
        self._write_inputs()
        self.etcd.start()
        self.apiserver.start()

    def await_ready(self) -> None:
        """Wait until the API server says that it is ready."""
        self.apiserver.wait_until(self._is_ready)

    def kill(self) -> None:
        """SIGKILL to everything at once; the data stays."""
        for process in reversed(self.processes):
            process.kill()

    def close(self) -> None:
        """End everything and give the ports back."""
        self.kill()
        for port in self._ports:
            port.release()

    def token(self, user: str = ADMIN) -> str:
        """The static token of the admin or of one of the users."""
        return f"{user}-token"

    def kubeconfig(self, user: str = ADMIN, *, token: str | None = None) -> Path:
        """A kubeconfig file for a user (or for any token, under the file name `user`)."""
        return write_kubeconfig(
            self.folder / f"{user}.kubeconfig",
            server=self.server,
            ca_file=self.ca_file,
            token=token or self.token(user),
        )

    def client(self, user: str = ADMIN, *, token: str | None = None) -> Client:
        """A plain client, independent of the reconciler's own."""
        return Client(self.server, self.ca_file, token or self.token(user))

    def service_account_token(self, namespace: str, name: str, *, seconds: int = 3600) -> str:
        """A token that the server issues for a ServiceAccount."""
        answer = self.client().request(
            "POST",
            f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {"audiences": [], "expirationSeconds": seconds},
            },
        )
        token: str = answer["status"]["token"]
        return token

    def audit_events(self) -> list[dict[str, Any]]:
        """Everything that was asked of the server so far (with `Options.audit`)."""
        assert self.options.audit, "this server keeps no audit log"
        return [json.loads(line) for line in self.audit_log.read_text().splitlines() if line.endswith("}")]

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """What the real kubectl prints, as the admin. Raises with its error output where it fails."""
        command = [str(self.binaries / "kubectl"), "--kubeconfig", str(self.kubeconfig()), *arguments]
        result = subprocess.run(
            command, input=text, capture_output=True, text=True, env={"HOME": str(self.folder)}, timeout=120
        )
        assert result.returncode == 0, f"kubectl {' '.join(arguments)}: {result.stderr}"
        return result.stdout

    def _write_inputs(self) -> None:
        users = {ADMIN: ("system:masters",), **self.options.users}
        lines = [f'{self.token(user)},{user},{user},"{",".join(groups)}"' for user, groups in users.items()]
        (self.folder / "tokens.csv").write_text("\n".join(lines) + "\n")
        if not self.key_file.exists():
            self.key_file.write_bytes(_new_key())
        (self.folder / "audit-policy.json").write_text(json.dumps(_AUDIT_POLICY))

    def _is_ready(self) -> bool:
        if not self.ca_file.exists():
            return False
        try:
            trust = ssl.create_default_context(cafile=self.ca_file)
            request = urllib.request.Request(
                f"{self.server}/readyz", headers={"Authorization": f"Bearer {self.token()}"}
            )
            with urllib.request.urlopen(request, context=trust, timeout=5) as answer:
                return bool(answer.read() == b"ok")
        except (OSError, ssl.SSLError):
            return False


class ControlPlane(ApiServer):
    """A whole site: besides etcd and kube-apiserver the controller manager, the scheduler, and kwok for the nodes."""

    def __init__(self, binaries: Path, folder: Path, options: Options = Options(service_accounts=True)) -> None:
        super().__init__(binaries, folder, options)
        kubeconfig = self.kubeconfig()
        home = {"HOME": str(folder), "PATH": os.environ["PATH"]}
        self.controller_manager = Process(
            "kube-controller-manager",
            _controller_manager(binaries, self, kubeconfig),
            log=folder / "kube-controller-manager.log",
            environment=home,
        )
        self.scheduler = Process(
            "kube-scheduler",
            [
                binaries / "kube-scheduler",
                *_flags(kubeconfig=kubeconfig, cert_dir=folder / "scheduler", leader_elect="false", secure_port=0),
            ],
            log=folder / "kube-scheduler.log",
            environment=home,
        )
        self.kwok = Process(
            "kwok",
            [
                binaries / "kwok",
                *_flags(kubeconfig=kubeconfig, manage_all_nodes="true", node_lease_duration_seconds=40),
            ],
            log=folder / "kwok.log",
            environment=home,
        )

    @property
    def processes(self) -> list[Process]:
        """In the order in which they start."""
        return [self.etcd, self.apiserver, self.controller_manager, self.scheduler, self.kwok]

    def await_ready(self) -> None:
        """Wait for the API, then start those that work on it."""
        super().await_ready()
        for process in self.processes[2:]:
            process.start()

    def add_node(self, name: str, *, cpu: str = "32", memory: str = "64Gi", pods: str = "200") -> None:
        """A node that kwok plays."""
        room = {"cpu": cpu, "memory": memory, "pods": pods}
        self.client().apply(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
                "status": {"allocatable": room, "capacity": room},
            }
        )


def write_kubeconfig(path: Path, *, server: str, ca_file: Path, token: str) -> Path:
    """A kubeconfig (JSON is YAML too) with one context named as the file is."""
    name = path.stem
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority": str(ca_file)}}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }
    path.write_text(json.dumps(document, indent=1))
    return path


def _etcd(binaries: Path, folder: Path, client: Port, peer: Port, options: Options) -> list[str | Path]:
    client_url, peer_url = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    return [
        binaries / "etcd",
        *_flags(
            data_dir=folder / "etcd",
            listen_client_urls=client_url,
            advertise_client_urls=client_url,
            listen_peer_urls=peer_url,
            initial_advertise_peer_urls=peer_url,
            initial_cluster=f"default={peer_url}",
            log_level="error",
        ),
        *([] if options.durable else ["--unsafe-no-fsync"]),
    ]


def _apiserver(binaries: Path, site: ApiServer, etcd: Port, secure: Port) -> list[str | Path]:
    """No endpoints of Service default/kubernetes: it may not name loopback, where the only server listens."""
    folder = site.folder
    return [
        binaries / "kube-apiserver",
        *_flags(
            etcd_servers=f"http://127.0.0.1:{etcd}",
            bind_address="127.0.0.1",
            secure_port=secure,
            cert_dir=folder / "certificates",
            service_account_key_file=site.key_file,
            service_account_signing_key_file=site.key_file,
            service_account_issuer="https://localhost",
            service_cluster_ip_range="10.0.0.0/24",
            token_auth_file=folder / "tokens.csv",
            authorization_mode="RBAC",
            allow_privileged="true",
            profiling="false",
            request_timeout=f"{site.options.request_timeout}s",
            endpoint_reconciler_type="none",
        ),
        *([] if site.options.service_accounts else ["--disable-admission-plugins=ServiceAccount"]),
    ]


def _audit(site: ApiServer) -> list[str]:
    if not site.options.audit:
        return []
    return _flags(audit_policy_file=site.folder / "audit-policy.json", audit_log_path=site.audit_log)


def _controller_manager(binaries: Path, site: ApiServer, kubeconfig: Path) -> list[str | Path]:
    return [
        binaries / "kube-controller-manager",
        *_flags(
            kubeconfig=kubeconfig,
            cert_dir=site.folder / "controller-manager",
            leader_elect="false",
            secure_port=0,
            service_account_private_key_file=site.key_file,
            root_ca_file=site.ca_file,
            use_service_account_credentials="true",
            pvclaimbinder_sync_period="1s",
            kube_api_qps=200,
            kube_api_burst=400,
        ),
    ]


def _flags(**values: object) -> list[str]:
    return [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]


_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


def _new_key() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
