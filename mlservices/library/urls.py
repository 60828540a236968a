from django.urls import path

from . import views

app_name = "voices"
urlpatterns = [
    path("", views.library, name="list"),
    path("<slug:voice>/preview/", views.preview, name="preview"),
    path("<slug:voice>/favourite/", views.favourite, name="favourite"),
]
