"""All orders, for those who may see them: found, told and acted upon."""
