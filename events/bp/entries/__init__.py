"""One event, and what can be bought for it."""
