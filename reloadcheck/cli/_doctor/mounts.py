"""Which mount a file is on, and what that means for edits of it.

Reads `/proc/self/mountinfo` (proc_pid_mountinfo(5)); asks the kernel for a file's own mount, since
paths do not tell of mounts that lie over one another.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .finding import Finding, failed, passed, warned
from .machine import Machine

__all__ = ["Mount", "file_system", "mount_of", "pinned"]

_ESCAPE: Final = re.compile(r"\\([0-7]{3})")
_DELETED: Final = "//deleted"
_OVERLAYS: Final = frozenset({"overlay", "aufs", "fuse.fuse-overlayfs", "unionfs"})
_NETWORK: Final = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "drvfs", "fakeowner", "lustre", "ncpfs", "nfs", "nfs4",
    "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
})  # fmt: skip
_ATTRIBUTE_CACHE: Final = 60.0
"""Seconds for which NFS may keep a file's attributes unless told otherwise (nfs(5), acregmax)."""


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount: `root` is what of the file system is mounted at `point`."""

    number: str
    root: str
    point: str
    options: frozenset[str]
    kind: str
    source: str

    @property
    def is_read_only(self) -> bool:
        """Return whether nothing can be written through it."""
        return "ro" in self.options

    @property
    def is_remote(self) -> bool:
        """Return whether somebody else may change what is on it."""
        local = self.kind in ("fuseblk", "fuse.mergerfs", *_OVERLAYS)
        return self.kind in _NETWORK or (self.kind.startswith("fuse") and not local)


def mount_of(path: str, machine: Machine) -> Mount | None:
    """Return the mount that a path is seen through; None when the kernel does not tell."""
    mounts = list(_mounts(machine.text("self", "mountinfo") or ""))
    number = _number_of(path, machine)
    for mount in mounts:
        if mount.number == number:
            return mount
    real = os.path.realpath(path)
    over = [mount for mount in mounts if _is_below(real, mount.point)]
    # Of two at one point, the later lies over the earlier.
    return max(reversed(over), key=lambda mount: len(mount.point), default=None)


def file_system(mount: Mount | None) -> Finding:
    """Say what the file system means for edits."""
    check = "file system"
    if mount is None:
        return passed(check, "this system does not tell its mounts")
    where = f"{mount.kind}, mounted at {mount.point}"
    if mount.kind in _OVERLAYS:
        return warned(
            check,
            f"{where}: a container's own layer; an edit here is lost with the container, and one "
            "in a layer below it may never show",
            "mount the configuration's directory into the container as a volume",
        )
    if mount.is_remote:
        return _remote(check, where, mount)
    return passed(check, where + (", read-only here" if mount.is_read_only else ""))


def pinned(path: str, mount: Mount | None, status: os.stat_result) -> Finding:
    """Say whether the file that an edit replaces stays behind."""
    check = "mount"
    remedy = "mount its directory, not the file; on Kubernetes, without subPath"
    if status.st_nlink == 0 or (mount is not None and mount.root.endswith(_DELETED)):
        said = "a pinned inode: it has been replaced outside, and this one will never change"
        return failed(check, said, remedy)
    if mount is None:
        return passed(check, "this system does not tell its mounts")
    if _is_generation(mount.root):
        said = (
            "a subPath of a Kubernetes volume: it is pinned to one generation of it and will never "
            "change"
        )
        return failed(check, said, remedy)
    if os.path.realpath(path) == mount.point and not os.path.isdir(path):
        said = (
            f"the file alone is mounted{_named(mount)}: whoever replaces it outside, as most "
            "editors do, leaves the old one here"
        )
        return warned(check, said, remedy)
    return passed(check, "its directory is mounted, so a replaced file is seen")


def _remote(check: str, where: str, mount: Mount) -> Finding:
    where = f"{where} from {mount.source}"
    remedy = "keep `verify` on, and let edits have that time"
    if mount.kind not in ("nfs", "nfs4"):
        said = f"{where}: edits made elsewhere show when this machine's cache of it ages"
        return warned(check, said, remedy)
    age = _cache_age(mount.options)
    if age <= 3:
        return passed(check, f"{where}, whose attributes are kept for {age:g} s")
    said = f"{where}: edits made on other machines may show {age:g} s late (attribute cache)"
    return warned(check, said, f"mount it with actimeo=1, or {remedy}")


def _cache_age(options: frozenset[str]) -> float:
    if "noac" in options:
        return 0.0
    for option in options:
        name, _, value = option.partition("=")
        if name in ("acregmax", "actimeo") and value.isdecimal():
            return float(value)
    return _ATTRIBUTE_CACHE


def _named(mount: Mount) -> str:
    return " (a subPath)" if "volume-subpaths" in mount.root.split("/") else ""


def _is_generation(root: str) -> bool:
    """Return whether what a `..data` led to is mounted, which the volume's writer replaces."""
    return any(part.startswith("..") and len(part) > 2 for part in root.split("/"))


def _number_of(path: str, machine: Machine) -> str | None:
    try:
        descriptor = os.open(path, getattr(os, "O_PATH", os.O_NONBLOCK) | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        told = machine.text("self", "fdinfo", str(descriptor)) or ""
    finally:
        os.close(descriptor)
    lines = (line.partition(":") for line in told.splitlines())
    return next((value.strip() for name, _, value in lines if name == "mnt_id"), None)


def _mounts(text: str) -> Iterator[Mount]:
    for line in text.splitlines():
        own, _, super_ = line.partition(" - ")
        fields, further = own.split(), super_.split()
        if len(fields) < 6 or len(further) < 2:
            continue
        options = [*fields[5].split(","), *(further[2].split(",") if len(further) > 2 else ())]
        yield Mount(
            fields[0],
            _unescaped(fields[3]),
            _unescaped(fields[4]),
            frozenset(options),
            further[0],
            _unescaped(further[1]),
        )


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), text)


def _is_below(path: str, point: str) -> bool:
    return point == "/" or path == point or path.startswith(f"{point}/")
