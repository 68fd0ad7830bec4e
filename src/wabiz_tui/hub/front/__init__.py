"""The front of the hub: who a caller is by address, what a line may cost, TLS. It stands before every route."""
