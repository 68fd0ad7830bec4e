"""The Merkle tree of RFC 6962, section 2.1: hashes, growth, inclusion and consistency proofs, and their verification.

A log keeps the hash of every complete subtree as a node: level 0 holds the leaves, node (level, index) covers the leaves
[index · 2^level, (index + 1) · 2^level). Such nodes never change, so a log only ever adds them; everything here reads them
through a function, wherever they are stored. Roots and proofs read O(log n) or O(log² n) nodes.
"""

import hashlib
from collections.abc import Callable, Sequence

import msgspec

from wabiz_tui.model.errors import UsageError

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class Node(msgspec.Struct, frozen=True):
    """A complete subtree's hash and its place."""

    level: int
    index: int
    hash: bytes


ReadNode = Callable[[int, int], bytes]
"""Gives the hash stored for (level, index); whatever it raises for an absent node passes through."""


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def grow(size: int, leaf: bytes, read: ReadNode) -> list[Node]:
    """The nodes to store when the leaf hash `leaf` joins a tree of `size` leaves: the leaf and each subtree it completes."""
    nodes = [Node(0, size, leaf)]
    while nodes[-1].index % 2:
        last = nodes[-1]
        nodes.append(Node(last.level + 1, last.index // 2, node_hash(read(last.level, last.index - 1), last.hash)))
    return nodes


def root(size: int, read: ReadNode) -> bytes:
    """The root of the first `size` leaves."""
    return EMPTY_ROOT if size == 0 else _subtree(0, size, read)


def inclusion_proof(index: int, size: int, read: ReadNode) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves, nearest sibling first."""
    if not 0 <= index < size:
        raise UsageError("An inclusion proof needs a leaf that is in the tree.")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtree(middle, end, read))
            end = middle
        else:
            path.append(_subtree(start, middle, read))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, read: ReadNode) -> list[bytes]:
    """What shows that the tree of `new` leaves begins with the one of `old`; empty when they are equal or `old` is 0."""
    if not 0 <= old <= new:
        raise UsageError("A consistency proof needs an earlier size and a later one.")
    if old in (0, new):
        return []
    path: list[bytes] = []
    start, end = 0, new
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_subtree(middle, end, read))
            end = middle
        else:
            path.append(_subtree(start, middle, read))
            start = middle
    # Where the old tree is a whole left subtree of the new one the verifier has that hash: it is the old root itself.
    if start > 0:
        path.append(_subtree(start, end, read))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `path` leads from the leaf hash at `index` to the root of a tree of `size` (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, expected_root, *path):
        return False
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == expected_root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` shows that the tree (`new`, `new_root`) begins with (`old`, `old_root`) (RFC 9162, section 2.1.4.2).

    The empty tree is the beginning of every tree, with an empty path and the empty root.
    """
    if not 0 <= old <= new or not _are_hashes(old_root, new_root, *path):
        return False
    if old == 0:
        return not path and old_root == EMPTY_ROOT and (new > 0 or new_root == EMPTY_ROOT)
    if old == new:
        return not path and old_root == new_root
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    if not hashes:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    found_old = found_new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            found_old, found_new = node_hash(sibling, found_old), node_hash(sibling, found_new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found_new = node_hash(found_new, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found_old == old_root and found_new == new_root


class MemoryTree:
    """A tree whose nodes are in memory, for verifying a whole exported log."""

    def __init__(self) -> None:
        self.size = 0
        self._nodes: dict[tuple[int, int], bytes] = {}

    def add(self, entry: bytes) -> int:
        """Append an entry; the index it got."""
        for node in grow(self.size, leaf_hash(entry), self.read):
            self._nodes[node.level, node.index] = node.hash
        self.size += 1
        return self.size - 1

    def read(self, level: int, index: int) -> bytes:
        return self._nodes[level, index]

    def root(self) -> bytes:
        return root(self.size, self.read)


def _subtree(start: int, end: int, read: ReadNode) -> bytes:
    """The hash over the leaves [start, end), where `start` is a multiple of the smallest power of two that holds them."""
    complete: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        complete.append(read(level, start >> level))
        start += 1 << level
    found = complete.pop()
    while complete:
        found = node_hash(complete.pop(), found)
    return found


def _split(width: int) -> int:
    """The largest power of two smaller than `width`."""
    return 1 << (width - 1).bit_length() - 1


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_SIZE for value in values)
