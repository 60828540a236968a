from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0001_initial'),
        ('telephony', '0002_call_held_at'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('held_at__isnull', False)), fields=['held_at'], name='call_held'),
        ),
    ]
