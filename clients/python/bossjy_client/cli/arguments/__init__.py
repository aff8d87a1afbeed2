"""Arguments of all commands. These modules import neither gRPC nor messages, so that help and completion are fast."""
