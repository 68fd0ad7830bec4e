"""The Merkle tree against the vectors of Certificate Transparency, and its proofs against every tamper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wabiz_tui.model.errors import UsageError
from wabiz_tui.proof.merkle import (
    EMPTY_ROOT,
    MemoryTree,
    consistency_proof,
    grow,
    inclusion_proof,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

# The test leaves and roots of google/certificate-transparency (merkle_tree_test.cc) and transparency-dev/merkle.
LEAVES = [
    bytes.fromhex(leaf) for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
H01 = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
H23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
H4567 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"


def tree_of(count: int) -> MemoryTree:
    tree = MemoryTree()
    for number in range(count):
        tree.add(LEAVES[number] if number < len(LEAVES) else number.to_bytes(4, "big"))
    return tree


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size: int):
    """The roots of zero to eight leaves are the published ones."""
    assert tree_of(size).root().hex() == ROOTS[size]
    assert root(size, tree_of(8).read).hex() == ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (0, 8, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7", H23, H4567]),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                ROOTS[4],
            ],
        ),
        (2, 3, [H01]),
    ],
)
def test_inclusion_paths_are_the_published_ones(index: int, size: int, path: list[str]):
    """Audit paths are those published with the roots, in the published order."""
    assert [step.hex() for step in inclusion_proof(index, size, tree_of(8).read)] == path


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        (1, 1, []),
        (2, 5, [H23, "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"]),
        (
            6,
            8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                ROOTS[4],
            ],
        ),
    ],
)
def test_consistency_paths_are_the_published_ones(old: int, new: int, path: list[str]):
    """Consistency proofs are those published with the roots."""
    assert [step.hex() for step in consistency_proof(old, new, tree_of(8).read)] == path


def test_every_leaf_of_every_small_tree_is_proved():
    """For all sizes up to 70 every inclusion proof verifies, and never for the neighbouring index or another leaf."""
    tree = tree_of(70)
    for size in range(1, 71):
        expected = root(size, tree.read)
        for index in range(size):
            leaf, path = tree.read(0, index), inclusion_proof(index, size, tree.read)
            assert verify_inclusion(leaf, index, size, path, expected)
            assert not verify_inclusion(leaf, (index + 1) % size, size, path, expected) or size == 1
            assert not verify_inclusion(leaf_hash(b"other"), index, size, path, expected)


def test_every_growth_of_every_small_tree_is_proved():
    """For all pairs of sizes up to 70 the consistency proof verifies, and never for another old root."""
    tree = tree_of(70)
    roots = [root(size, tree.read) for size in range(71)]
    for new in range(71):
        for old in range(new + 1):
            path = consistency_proof(old, new, tree.read)
            assert verify_consistency(old, new, roots[old], roots[new], path)
            assert not verify_consistency(old, new, leaf_hash(b"other"), roots[new], path)


@given(st.data())
def test_any_flipped_bit_breaks_an_inclusion_proof(data: st.DataObject):
    """One changed bit anywhere in leaf, path or root is noticed."""
    size = data.draw(st.integers(1, 200))
    index = data.draw(st.integers(0, size - 1))
    tree = tree_of(size)
    parts = [tree.read(0, index), tree.root(), *inclusion_proof(index, size, tree.read)]
    assert verify_inclusion(parts[0], index, size, parts[2:], parts[1])

    parts = flip_a_bit(parts, data)

    assert not verify_inclusion(parts[0], index, size, parts[2:], parts[1])


@given(st.data())
def test_any_flipped_bit_breaks_a_consistency_proof(data: st.DataObject):
    """One changed bit anywhere in path or roots is noticed."""
    new = data.draw(st.integers(1, 200))
    old = data.draw(st.integers(0, new))
    tree = tree_of(new)
    parts = [root(old, tree.read), tree.root(), *consistency_proof(old, new, tree.read)]
    assert verify_consistency(old, new, parts[0], parts[1], parts[2:])
    # Every tree begins with the empty one, so its proof says nothing about the new root.
    fixed = 0 if old else 1

    changed = flip_a_bit(parts if old else parts[:fixed], data)

    assert not verify_consistency(old, new, changed[0], parts[1] if not old else changed[1], changed[2:])


@given(st.integers(0, 60), st.integers(0, 60), st.lists(st.binary(min_size=32, max_size=32), max_size=8))
def test_made_up_proofs_prove_nothing(old: int, new: int, path: list[bytes]):
    """Random hashes never verify, and never raise."""
    tree = tree_of(60)
    if consistency_proof(min(old, new), max(old, new), tree.read) != path:
        assert not (old and verify_consistency(old, new, root(old, tree.read), root(new, tree.read), path))
    assert not verify_inclusion(leaf_hash(b"absent"), old, new, path, root(new, tree.read))


def test_longer_and_shorter_paths_are_refused():
    """A path with a step too many, a step too few or a step of a wrong size is refused."""
    tree = tree_of(7)
    path, leaf = inclusion_proof(3, 7, tree.read), tree.read(0, 3)

    for wrong in ([*path, path[0]], path[:-1], [path[0][:31], *path[1:]]):
        assert not verify_inclusion(leaf, 3, 7, wrong, tree.root())
    assert not verify_consistency(3, 7, root(3, tree.read), tree.root(), [*consistency_proof(3, 7, tree.read), path[0]])
    assert not verify_consistency(4, 7, root(4, tree.read), tree.root(), [])
    assert not verify_consistency(0, 7, EMPTY_ROOT, tree.root(), path)


def test_growing_adds_each_complete_subtree_once():
    """Nodes are added, never changed, and a tree of n leaves has 2n minus its number of ones of them."""
    nodes: dict[tuple[int, int], bytes] = {}
    for size in range(64):
        for node in grow(size, leaf_hash(bytes([size])), lambda level, index: nodes[level, index]):
            assert (node.level, node.index) not in nodes
            nodes[node.level, node.index] = node.hash
        assert len(nodes) == 2 * (size + 1) - (size + 1).bit_count()


def test_proofs_of_what_is_not_there_are_not_made():
    """Asking for a leaf beyond the tree, or for a shrinking one, is an error of the caller."""
    with pytest.raises(UsageError):
        inclusion_proof(3, 3, tree_of(3).read)
    with pytest.raises(UsageError):
        consistency_proof(4, 3, tree_of(4).read)


def flip_a_bit(parts: list[bytes], data: st.DataObject) -> list[bytes]:
    which = data.draw(st.integers(0, len(parts) - 1))
    bit = data.draw(st.integers(0, 255))
    changed = int.from_bytes(parts[which], "big") ^ (1 << bit)
    return [*parts[:which], changed.to_bytes(32, "big"), *parts[which + 1 :]]
