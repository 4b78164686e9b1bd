# expect: LOW
from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, render
from .models import Article


@login_required
def article(request, pk):
    a = get_object_or_404(Article, pk=pk)
    if request.method == "POST":
        a.title = request.POST["title"]
        a.save()
        return JsonResponse({"ok": True})
    return render(request, "article.html", {"article": a})


def delete(request, pk):
    Article.objects.filter(pk=pk, owner=request.user).delete()
    return JsonResponse({"ok": True})
