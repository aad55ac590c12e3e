"""What is owed to buyers, and giving it back."""
