"""Where an API server is and how to prove who we are: the only module that touches the `kubernetes` package.

That package knows kubeconfig files, in-cluster tokens and exec plug-ins well, and is slow to import and to use; so it
is asked for the connection's facts only, and imported only when a cluster is really connected to.
"""

from __future__ import annotations

import ssl
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from reconciler.errors import ClusterError, UsageError


class Credentials:
    """Authorisation headers that stay valid: asked for before each request, loaded anew when the server says 401."""

    def __init__(self, load: Callable[[], Callable[[], Mapping[str, str]]]) -> None:
        self._load = load
        self._headers = load()
        self._lock = threading.Lock()

    def headers(self) -> Mapping[str, str]:
        """Headers for one request; renews an expired token first."""
        with self._lock:
            return self._headers()

    def renew(self) -> None:
        """Read the credentials from their source again."""
        with self._lock:
            self._headers = self._load()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An API server. `tls` is None for plain HTTP; `server_name` is the name that its certificate must bear."""

    server: str
    credentials: Credentials
    tls: ssl.SSLContext | None = None
    server_name: str | None = None
    proxy: str | None = None
    namespace: str = field(default="default")


def tls_context(
    *,
    ca_file: str | None = None,
    ca_data: str | None = None,
    certificate: tuple[str, str | None] | None = None,
    verify: bool = True,
) -> ssl.SSLContext:
    """A client's TLS context. Without a CA the machine's own roots are trusted.

    It is made by hand because the default context of newer Pythons refuses the CAs of many clusters, which lack an
    authority key identifier.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file or ca_data:
        context.load_verify_locations(cafile=ca_file, cadata=ca_data)
    else:
        context.load_default_certs()
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


def from_token(server: str, token: str | None, ca: str | None) -> Endpoint:
    """An endpoint known by its parts. `ca` is PEM text, or the path of a PEM file."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    context = None
    if server.startswith("https:"):
        is_text = ca is not None and "-----BEGIN" in ca
        context = tls_context(ca_data=ca if is_text else None, ca_file=None if is_text else ca)
    return Endpoint(server.rstrip("/"), Credentials(lambda: lambda: headers), context)


def from_kubeconfig(kubeconfig: str | None, context: str | None) -> Endpoint:
    """The endpoint of a kubeconfig's context; with neither given and inside a pod, the pod's own cluster.

    Raises UsageError if the kubeconfig or the context is not usable.
    """
    configuration = _load(kubeconfig, context)
    first = [configuration]

    def load() -> Callable[[], Mapping[str, str]]:
        loaded = first.pop() if first else _load(kubeconfig, context)
        return lambda: _authorisation(loaded)

    server = str(configuration.host).rstrip("/")
    tls = None
    if server.startswith("https:"):
        certificate = (configuration.cert_file, configuration.key_file) if configuration.cert_file else None
        tls = tls_context(ca_file=configuration.ssl_ca_cert, certificate=certificate, verify=configuration.verify_ssl)
        if not configuration.verify_ssl:
            _warn_unverified(server)
    return Endpoint(server, Credentials(load), tls, configuration.tls_server_name, configuration.proxy)


@cache
def _warn_unverified(server: str) -> None:
    """Say once that a server's certificate is not checked; urllib3 would say it with every request."""
    import urllib3

    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    print(f"warning: {server}: its certificate is not checked (insecure-skip-tls-verify)", file=sys.stderr)


def _authorisation(configuration: Any) -> dict[str, str]:
    settings = configuration.auth_settings().values()
    return {setting["key"]: setting["value"] for setting in settings if setting["in"] == "header" and setting["value"]}


def _load(kubeconfig: str | None, context: str | None) -> Any:
    import kubernetes.config
    from kubernetes.client import Configuration
    from yaml import YAMLError

    config: Any = kubernetes.config  # declares itself typed, and is not
    configuration = Configuration()
    try:
        if kubeconfig is None and context is None and in_pod():
            config.load_incluster_config(client_configuration=configuration)
        else:
            config.load_kube_config(kubeconfig, context, configuration, persist_config=False)
    except (config.ConfigException, YAMLError) as error:
        hint = "--kubeconfig and --context say which cluster is meant, as for kubectl"
        raise UsageError(f"kubeconfig {kubeconfig or '(default)'}: {error}\n  hint: {hint}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ClusterError(f"kubeconfig {kubeconfig or '(default)'} cannot be used: {error}") from error
    return configuration


def in_pod() -> bool:
    """Whether this process runs in a pod and nobody gave it a kubeconfig."""
    import os

    explicit = os.environ.get("KUBECONFIG") or os.path.exists(os.path.expanduser("~/.kube/config"))
    return not explicit and "KUBERNETES_SERVICE_HOST" in os.environ
