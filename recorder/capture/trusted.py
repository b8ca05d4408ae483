"""Programs that only root could have put where they are."""

import os
import stat

_MAX_LINKS = 40
"""As many symbolic links as the kernel follows in one path."""
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def trusted_program(candidates: tuple[str, ...]) -> str | None:
    """The first of these absolute paths that is an executable file of root's, all the way from `/`.

    Each directory, link and the file itself belong to root, and nobody else may write them: what is found
    now is what is executed later.
    """
    for path in candidates:
        try:
            if _is_trusted(path):
                return path
        except OSError:
            continue
    return None


def _is_trusted(path: str, links: int = 0) -> bool:
    parts = [part for part in path.split("/") if part]
    reached = ""
    for number, part in enumerate(parts, 1):
        if not _is_safe_directory(os.lstat(reached or "/")):
            return False
        place, reached = reached or "/", f"{reached}/{part}"
        status = os.lstat(reached)
        if stat.S_ISLNK(status.st_mode):
            rest = "/".join(parts[number:])
            target = os.path.join(place, os.readlink(reached), rest)
            return status.st_uid == 0 and links < _MAX_LINKS and _is_trusted(target, links + 1)
    return path.startswith("/") and _is_safe_program(os.lstat(reached or "/"))


def _is_safe_directory(status: os.stat_result) -> bool:
    return stat.S_ISDIR(status.st_mode) and status.st_uid == 0 and not status.st_mode & _OTHERS_WRITE


def _is_safe_program(status: os.stat_result) -> bool:
    mode = status.st_mode
    return (
        stat.S_ISREG(mode) and status.st_uid == 0 and not mode & _OTHERS_WRITE and bool(mode & stat.S_IXOTH)
    )
