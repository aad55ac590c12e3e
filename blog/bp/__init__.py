"""The blueprints of the blog app."""
