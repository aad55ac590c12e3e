"""The mails of development, to look at."""
