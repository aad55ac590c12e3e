"""The ground floor: plain frozen data, protocols and rules. No I/O, no import of anything of ours."""
