"""The boot of this machine: within one, monotonic clocks of two processes can be compared."""

__all__ = ["boot_id"]


def boot_id() -> str:
    """Return a text that is another after each boot; one for all where the system tells none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as kernel:
            return kernel.read().strip()
    except OSError:
        return "unknown"
