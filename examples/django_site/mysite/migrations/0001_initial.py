"""The table of visits."""

from django.db import migrations, models

ID = {"primary_key": True, "auto_created": True, "serialize": False}


class Migration(migrations.Migration):
    """Make it."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="Visit",
            fields=[
                ("id", models.BigAutoField(verbose_name="ID", **ID)),
                ("greeting", models.CharField(max_length=100)),
                ("at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
    )
