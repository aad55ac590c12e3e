"""What the pages of the programme show."""
