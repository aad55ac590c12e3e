"""What is sent by e-mail, and how: rendered, queued in the transaction of the change, sent by the worker."""
