"""BossJy: validation of phone numbers and import of contact lists over gRPC."""
