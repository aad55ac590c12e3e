"""What is owed to buyers, and refunding it."""
