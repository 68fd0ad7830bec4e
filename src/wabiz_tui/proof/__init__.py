"""Proofs anybody can check offline: signatures, Merkle log, signed notes, receipts, key derivation. Pure; knows the vocabulary only."""
