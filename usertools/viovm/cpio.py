# SPDX-License-Identifier: BSD-3-Clause
"""Writes a cpio archive of the kind that Linux unpacks as its initramfs ("newc")."""

import stat


class Writer:
    """Everything in it belongs to root and carries the time 0: equal input, equal archive."""

    def __init__(self, stream):
        self._stream = stream
        self._inode = 0

    def folder(self, name, mode=0o755):
        self._entry(name, stat.S_IFDIR | mode)

    def symlink(self, name, target):
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, name, major, minor, mode=0o600):
        self._entry(name, stat.S_IFCHR | mode, device=(major, minor))

    def file(self, name, content, mode=0o644):
        self._entry(name, stat.S_IFREG | mode, content)

    def close(self):
        self._entry("TRAILER!!!", 0)

    def _entry(self, name, mode, content=b"", device=(0, 0)):
        self._inode += 1
        path = name.lstrip("/").encode() + b"\0"
        # inode, mode, uid, gid, links, mtime, size, device of the file system (2), own device (2),
        # size of the name, checksum
        fields = (self._inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(path), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self._padded(header + path)
        self._padded(content)

    def _padded(self, data):
        self._stream.write(data)
        self._stream.write(b"\0" * (-len(data) % 4))
