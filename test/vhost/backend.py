#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A vhost-user back-end that moves no packet: it answers the requests of a driver's probe, rightly
or, where a test says so, wrongly. For what DPDK's vhost never does.
"""

import socket
import struct
import threading

GET_FEATURES = 1
SET_FEATURES = 2
SET_OWNER = 3
GET_PROTOCOL_FEATURES = 15
GET_QUEUE_NUM = 17
SET_STATUS = 39
GET_STATUS = 40

F_MQ = 1 << 22
F_PROTOCOL_FEATURES = 1 << 30
F_VERSION_1 = 1 << 32
PROTOCOL_MQ = 1 << 0
PROTOCOL_REPLY_ACK = 1 << 3
PROTOCOL_STATUS = 1 << 16

STATUS_FEATURES_OK = 8

_HEADER = struct.Struct("<III")
_VERSION = 1
_REPLY = 1 << 2
_NEED_REPLY = 1 << 3


def u64(value):
    """The payload of most answers."""
    return struct.pack("<Q", value)


class Backend:
    """Listens at path and serves one connection after the other, until stop().

    answers has, by request, the payload to answer with instead of the right one, or a function
    that makes it. refuses is a set of status bits that the device never takes on. raw has, by
    request, whole messages to send instead; None hangs up.
    """

    def __init__(self, path, answers=None, refuses=0, raw=None):
        self.answers = {
            GET_FEATURES: u64(F_VERSION_1 | F_PROTOCOL_FEATURES | F_MQ),
            GET_PROTOCOL_FEATURES: u64(PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_STATUS),
            GET_QUEUE_NUM: u64(2),
            **(answers or {}),
        }
        self.refuses = refuses
        self.raw = raw or {}
        self.status = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.connection = None
        self.stopped = False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Hang up and end."""
        self.stopped = True
        for end in self.listener, self.connection:
            if end is not None:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it was not connected any more
                end.close()
        self.thread.join(10)

    def _serve(self):
        while not self.stopped:
            try:
                self.connection, _ = self.listener.accept()
                while self._answer_one(self.connection):
                    pass
                self.connection.close()
            except OSError:
                pass  # the driver or stop() hung up

    def _answer_one(self, connection):
        """Serve one request; False at the end of the connection."""
        header, descriptors, _, _ = socket.recv_fds(connection, _HEADER.size, 8, socket.MSG_WAITALL)
        for descriptor in descriptors:
            socket.close(descriptor)
        if len(header) < _HEADER.size:
            return False
        request, flags, size = _HEADER.unpack(header)
        payload = connection.recv(size, socket.MSG_WAITALL) if size else b""
        if request in self.raw:
            if self.raw[request] is None:
                return False
            connection.sendall(self.raw[request])
            return True
        answer = self._answer(request, payload)
        if answer is None and flags & _NEED_REPLY:
            answer = u64(0)
        if answer is not None:
            connection.sendall(message(request, answer))
        return True

    def _answer(self, request, payload):
        """The payload of the answer to a request, None where it has none."""
        if request == SET_STATUS:
            self.status = struct.unpack("<Q", payload)[0] & ~self.refuses
        if request == GET_STATUS:
            return u64(self.status)
        return self.answers.get(request)


def message(request, payload, size=None):
    """A whole answer; size is told instead of the payload's length."""
    size = len(payload) if size is None else size
    return _HEADER.pack(request, _VERSION | _REPLY, size) + payload
