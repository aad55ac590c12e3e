"""What only the provider knows: its history is compared with ours, and unfinished work is taken up."""
