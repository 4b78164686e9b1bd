# expect: MEDIUM
from django.db import models
from django.contrib.auth.models import User
class Post(models.Model):
    author = models.ForeignKey(User, on_delete=models.CASCADE)
    title = models.CharField(max_length=200)
    def delete_old(self):
        Post.objects.filter(published=False).delete()
