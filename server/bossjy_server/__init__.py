"""BossJy: phone numbers put right, over gRPC."""
