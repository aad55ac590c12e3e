"""The PostgreSQL that ``./run`` brings along, for those who have none."""
