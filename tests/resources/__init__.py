"""Make: registering resources and building what an edit changed."""
