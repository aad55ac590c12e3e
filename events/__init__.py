"""The events app: what is on, an event with its tickets, and the tickets that somebody has."""
