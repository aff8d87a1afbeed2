"""Generated from the contracts in protos/. Do not edit: `make generate` makes it again."""
