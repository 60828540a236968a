from django.urls import path

from .roster import views

app_name = "models"
urlpatterns = [
    path("", views.model_list, name="list"),
    path("memory/", views.memory, name="memory"),
    path("<str:model_id>/", views.model_row, name="row"),
    path("<str:model_id>/<str:verb>/", views.change_model, name="change"),
]
