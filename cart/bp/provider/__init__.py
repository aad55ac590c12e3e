"""What the provider's own record shows and ours does not."""
