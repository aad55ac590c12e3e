"""Every change of a state that the shop can make, made on purpose, and the journal lines that it must leave."""
