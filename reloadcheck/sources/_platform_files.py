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
_LEFT: Final = frozenset({"lost+found", "__pycache__", "Thumbs.db", "desktop.ini"})
_COPIES: Final = (
    "~", ".bak", ".orig", ".rej", ".swp", ".swo", ".tmp", ".rpmnew", ".rpmsave", ".dpkg-dist",
    ".dpkg-new", ".dpkg-old", ".dpkg-tmp", ".ucf-dist", ".ucf-new", ".ucf-old",
)  # fmt: skip


def is_foreign(keys: tuple[str, ...]) -> bool:
    """Return whether a name, told by its path below the directory, is a platform's or an editor's.

    Editors leave `password~` and `#password#` beside what they edit, package managers their
    `.dpkg-old`, and who writes a file to rename it then a `.tmp`; a file system has its
    `lost+found`, which nobody but root may read.
    """
    name = keys[-1]
    is_copy = name.endswith(_COPIES) or (len(name) > 1 and name[0] == name[-1] == "#")
    return is_copy or name in _LEFT or keys in FOREIGN
