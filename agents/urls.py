from django.urls import path

from . import bulk, drafts, history, views, voices

app_name = "agents"
urlpatterns = [
    path("", views.agent_list, name="list"),
    path("new/", views.agent_new, name="new"),
    path("bulk/", bulk.bulk, name="bulk"),
    path("speak/", drafts.speak, name="speak"),
    path("tokens/", drafts.tokens, name="tokens"),
    path("voice/<slug:voice>/", voices.with_voice, name="with_voice"),
    path("<slug:slug>/", views.agent_edit, name="edit"),
    path("<slug:slug>/duplicate/", views.agent_duplicate, name="duplicate"),
    path("<slug:slug>/history/", history.agent_history, name="history"),
    path("<slug:slug>/history/<int:number>/restore/", history.agent_restore, name="restore"),
    path("<slug:slug>/try/", views.agent_try, name="try"),
]
