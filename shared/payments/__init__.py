"""The payment gateway: the SumUp adapter, its in-memory double, and the local SumUp sandbox."""
