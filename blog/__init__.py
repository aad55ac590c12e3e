"""The blog app: pages, posts, sign-in and the account."""
