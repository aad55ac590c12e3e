"""What needs a person's judgement: payments that are not what we asked for, and what only the provider knew."""
