from django.urls import path

from . import tests_views, try_views, views, write_views

app_name = "flows"
urlpatterns = [
    path("", views.flow_list, name="list"),
    path("new/", views.flow_new, name="new"),
    path("generate/", write_views.flow_generate, name="generate"),
    path("generate/write/", write_views.flow_write, name="write"),
    path("generate/keep/", write_views.flow_keep, name="keep"),
    path("templates/", views.flow_templates, name="templates"),
    path("templates/<slug:id>/", views.flow_from_template, name="from_template"),
    path("import/", views.flow_import, name="import"),
    path("<slug:slug>/", views.flow_edit, name="edit"),
    path("<slug:slug>/draft/", views.flow_draft, name="draft"),
    path("<slug:slug>/try/", try_views.flow_try, name="try"),
    path("<slug:slug>/review/", views.flow_review, name="review"),
    path("<slug:slug>/publish/", views.flow_publish, name="publish"),
    path("<slug:slug>/export/", views.flow_export, name="export"),
    path("<slug:slug>/versions/", views.flow_versions, name="versions"),
    path("<slug:slug>/versions/<int:number>/", views.flow_version, name="version"),
    path("<slug:slug>/versions/<int:number>/back/", views.flow_roll_back, name="roll_back"),
    path("<slug:slug>/tests/", tests_views.test_list, name="tests"),
    path("<slug:slug>/tests/new/", tests_views.test_new, name="new_test"),
    path("<slug:slug>/tests/required/", tests_views.test_require, name="require_tests"),
    path("<slug:slug>/tests/<int:place>/", tests_views.test_edit, name="test"),
    path("<slug:slug>/tests/<int:place>/run/", tests_views.test_run, name="run_test"),
    path("<slug:slug>/tests/<int:place>/delete/", tests_views.test_delete, name="delete_test"),
    path("<slug:slug>/duplicate/", views.flow_duplicate, name="duplicate"),
    path("<slug:slug>/delete/", views.flow_delete, name="delete"),
]
