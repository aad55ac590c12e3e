"""The cart domain's parts, behind SqlCartService."""
