"""Background work on a queue over PostgreSQL. What must not be lost is a row as well; a job only makes it quick."""
