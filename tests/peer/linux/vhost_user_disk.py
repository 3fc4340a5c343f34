# SPDX-License-Identifier: MIT
"""A disk that QEMU's vhost-user-blk-pci has in this process: it reads and writes the guest's memory itself, with
translations that it asks QEMU for and then keeps until QEMU says that they are gone. So it sees whether unmap
notifications arrive. The protocol is QEMU's docs/interop/vhost-user.rst; one queue, one connection, no recovery.
"""
import mmap
import os
import select
import socket
import struct
import threading

# Requests of QEMU, and of ours on the second connection.
(GET_FEATURES, SET_FEATURES, SET_OWNER, SET_MEM_TABLE, SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE,
 SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR, GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, GET_QUEUE_NUM,
 SET_VRING_ENABLE, SET_BACKEND_FD, IOTLB_MSG, GET_CONFIG) = (
     1, 2, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 21, 22, 24)
BACKEND_IOTLB_MSG = 1
VERSION, REPLY, NEEDS_REPLY = 1, 4, 8  # of the flags
FEATURES = 1 << 30 | 1 << 32 | 1 << 33  # protocol features, virtio 1, access through the platform's IOMMU
PROTOCOL_FEATURES = 1 << 3 | 1 << 5 | 1 << 9  # acknowledgements, second connection, configuration
MISS, UPDATE, INVALIDATE = 1, 2, 3
READ, WRITE = 1, 2
PAGE = 4096
SECTOR = 512


class VhostUserDisk:
    """Listens at `path` and serves `contents` (a bytearray) until stop()."""

    def __init__(self, path, contents):
        self.contents = contents
        self.kept = {}  # page of the device's addresses: (page of QEMU's addresses, permissions)
        self.asked = self.dropped = self.requests = 0
        self.failure = None
        self.regions = []  # (QEMU's address, size, memory)
        self.queue = {"num": 0, "next": 0}
        self.kick = self.call = self.backend = None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def stop(self):
        self.stopping.set()
        self.thread.join(timeout=10)

    def serve(self):
        try:
            while not select.select([self.listener], [], [], 0.2)[0]:
                if self.stopping.is_set():
                    return
            self.main, _ = self.listener.accept()
            while not self.stopping.is_set():
                ready = select.select([self.main] + ([self.kick] if self.kick else []), [], [], 0.2)[0]
                if self.main in ready and not self.take_message():
                    return
                if self.kick in ready:
                    os.read(self.kick, 8)
                    self.take_requests()
        except Exception as error:  # shown by the case
            self.failure = repr(error)
        finally:
            self.listener.close()

    # Messages

    def take_message(self):
        head, descriptors, _, _ = socket.recv_fds(self.main, 12, 8)
        if not head:
            return False
        request, flags, size = struct.unpack("<III", head)
        body = b""
        while len(body) < size:
            body += self.main.recv(size - len(body))
        answer = self.execute(request, body, descriptors)
        if answer is None and flags & NEEDS_REPLY:
            answer = struct.pack("<Q", 0)
        if answer is not None:
            self.main.sendall(struct.pack("<III", request, VERSION | REPLY, len(answer)) + answer)
        return True

    def execute(self, request, body, descriptors):
        """The answer of those requests that have one."""
        if request == GET_FEATURES:
            return struct.pack("<Q", FEATURES)
        if request == GET_PROTOCOL_FEATURES:
            return struct.pack("<Q", PROTOCOL_FEATURES)
        if request == GET_QUEUE_NUM:
            return struct.pack("<Q", 1)
        if request == GET_CONFIG:
            return body[:12] + struct.pack("<Q", len(self.contents) // SECTOR).ljust(len(body) - 12, b"\0")
        if request == SET_MEM_TABLE:
            self.set_memory(body, descriptors)
        elif request == SET_VRING_NUM:
            self.queue["num"] = struct.unpack("<II", body)[1]
        elif request == SET_VRING_BASE:
            self.queue["next"] = struct.unpack("<II", body)[1]
        elif request == SET_VRING_ADDR:
            _, _, self.queue["table"], self.queue["used"], self.queue["available"], _ = struct.unpack("<IIQQQQ", body)
        elif request == GET_VRING_BASE:
            self.kick = None
            return struct.pack("<II", 0, self.queue["next"])
        elif request == SET_VRING_KICK:
            self.kick = descriptors[0] if descriptors else None
        elif request == SET_VRING_CALL:
            self.call = descriptors[0] if descriptors else None
        elif request == SET_BACKEND_FD:
            self.backend = socket.socket(fileno=descriptors[0])
        elif request == IOTLB_MSG:
            self.change_translations(*struct.unpack_from("<QQQBB", body))
        return None

    def set_memory(self, body, descriptors):
        self.regions = []
        for number, descriptor in enumerate(descriptors):
            _, size, address, offset = struct.unpack_from("<QQQQ", body, 8 + 32 * number)
            memory = mmap.mmap(descriptor, offset + size)
            self.regions.append((address, size, memoryview(memory)[offset:]))

    def change_translations(self, first, size, address, permissions, kind):
        if kind == UPDATE:
            for at in range(0, size, PAGE):
                self.kept[(first + at) // PAGE] = (address + at, permissions)
        elif kind == INVALIDATE:
            gone = [page for page in self.kept if first <= page * PAGE < first + size]
            self.dropped += len(gone)
            for page in gone:
                del self.kept[page]

    # The guest's memory

    def page(self, address, permission):
        """The guest's page in our memory. Asks QEMU only for what is not kept."""
        page = address // PAGE
        while self.kept.get(page, (0, 0))[1] & permission == 0:
            self.asked += 1
            miss = struct.pack("<QQQBB6x", page * PAGE, PAGE, 0, permission, MISS)
            self.backend.sendall(struct.pack("<III", BACKEND_IOTLB_MSG, VERSION, len(miss)) + miss)
            if not self.take_message():
                raise RuntimeError("QEMU has left")
        at = self.kept[page][0]
        for begin, size, memory in self.regions:
            if begin <= at < begin + size:
                return memory[at - begin:at - begin + PAGE]
        raise RuntimeError(f"QEMU translates 0x{address:x} to what it does not share")

    def pieces(self, address, size):
        """(offset in page, bytes) of each page."""
        while size:
            here = min(size, PAGE - address % PAGE)
            yield address, here
            address += here
            size -= here

    def read(self, address, size):
        return b"".join(bytes(self.page(at, READ)[at % PAGE:at % PAGE + here]) for at, here in self.pieces(address, size))

    def write(self, address, data):
        done = 0
        for at, here in self.pieces(address, len(data)):
            self.page(at, WRITE)[at % PAGE:at % PAGE + here] = data[done:done + here]
            done += here

    # The queue

    def take_requests(self):
        queue = self.queue
        while queue["next"] != struct.unpack("<H", self.read(queue["available"] + 2, 2))[0]:
            slot = queue["next"] % queue["num"]
            head, = struct.unpack("<H", self.read(queue["available"] + 4 + 2 * slot, 2))
            written = self.answer(head)
            self.write(queue["used"] + 4 + 8 * slot, struct.pack("<II", head, written))
            queue["next"] = (queue["next"] + 1) & 0xffff
            self.write(queue["used"] + 2, struct.pack("<H", queue["next"]))
            if self.call:
                os.write(self.call, struct.pack("<Q", 1))

    def answer(self, number):
        """Serves one request; the number of bytes that it wrote."""
        chain, more = [], True
        while more:
            address, size, flags, following = struct.unpack("<QIHH", self.read(self.queue["table"] + 16 * number, 16))
            chain.append((address, size))
            number, more = following, flags & 1
        kind, _, sector = struct.unpack("<IIQ", self.read(chain[0][0], 16))
        at, written = sector * SECTOR, 1
        for address, size in chain[1:-1]:
            if kind == 0:
                self.write(address, self.contents[at:at + size])
                written += size
            else:
                self.contents[at:at + size] = self.read(address, size)
            at += size
        self.write(chain[-1][0], bytes([0 if kind in (0, 1) else 2]))
        self.requests += 1
        return written
