from django.urls import path

from . import views

app_name = "audit"
urlpatterns = [
    path("", views.trail, name="list"),
    path("check/", views.check, name="check"),
    path("export/", views.export, name="export"),
    path("account/<int:pk>/", views.account, name="account"),
    path("<int:pk>/", views.entry, name="entry"),
]
