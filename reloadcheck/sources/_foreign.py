"""What platforms put beside an application's own secrets in `/run/secrets`.

A pod finds its service account there, whose token the kubelet renews every hour; a container on a
subscribed host, the host's entitlements. None of it is configuration of the application.
"""

from typing import Final

__all__ = ["FOREIGN", "is_foreign"]

FOREIGN: Final[frozenset[tuple[str, ...]]] = frozenset({
    ("kubernetes.io",),  # the service account of every pod
    ("eks.amazonaws.com",),  # identities of workloads, each as its cloud mounts it
    ("pods.eks.amazonaws.com",),
    ("openshift.io",),
    ("azure", "tokens"),
    ("tokens", "gcp-ksa"),
    ("tokens", "azure-identity-token"),
    ("tokens", "istio-token"),  # sidecars
    ("istio", "root-cert.pem"),
    ("tokens", "linkerd-identity-token"),
    ("credential-uds",),
    ("workload-spiffe-credentials",),
    ("workload-spiffe-uds",),
    ("etc-pki-entitlement",),  # Podman, on a subscribed host
    ("redhat.repo",),
    ("rhsm",),
})  # fmt: skip


def is_foreign(keys: tuple[str, ...]) -> bool:
    """Return whether a name, told by its path below the directory, is a platform's or an editor's.

    Editors leave `password~` and `#password#` beside what they edit.
    """
    name = keys[-1]
    is_of_editor = name.endswith("~") or (len(name) > 1 and name[0] == name[-1] == "#")
    return is_of_editor or keys in FOREIGN
