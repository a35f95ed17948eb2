"""What people asked of the Spine's permission, and its answers, only grow."""

from django.db import migrations

from carerecords.append_only import protect


class Migration(migrations.Migration):
    dependencies = [("spine", "0007_permission_at_store")]
    operations = [protect("spine_permissioncall"), protect("spine_permissionanswer")]
