"""Demo data: a theatre, a farm shop and a hall, with orders and payments."""
