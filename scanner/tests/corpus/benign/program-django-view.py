# expect: LOW
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, render
from .models import Article

@login_required
def detail(request, pk):
    article = get_object_or_404(Article, pk=pk)
    return render(request, "articles/detail.html", {"article": article})
