"""The steps of the database, as `manage.py makemigrations` writes them."""
