"""A stand-in for SumUp that speaks the same API over HTTP: for demos, for development and for tests. No real money."""
