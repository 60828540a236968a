from django.urls import path

from . import views

app_name = "usage"
urlpatterns = [
    path("", views.usage, name="usage"),
    path("prices/", views.add_price, name="add_price"),
    path("prices/<int:pk>/delete/", views.delete_price, name="delete_price"),
]
