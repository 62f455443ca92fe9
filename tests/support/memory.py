"""How much memory a process held at most.

Not by getrusage(2): its ru_maxrss survives exec and cannot be set back, so that a small process told of the large one
that started it.
"""

from pathlib import Path


def peak() -> int:
    """The highest resident size of this process in bytes (VmHWM of proc_pid_status(5))."""
    lines = Path("/proc/self/status").read_text().splitlines()
    told = dict(line.split(":", 1) for line in lines)
    return int(told["VmHWM"].split()[0]) * 1024


def forget_peak() -> None:
    """Sets the highest size back to what is held now (5 in clear_refs of proc(5))."""
    Path("/proc/self/clear_refs").write_text("5")
