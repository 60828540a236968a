from django.urls import path

from . import account_views, number_views, sip_views

app_name = "lines"
urlpatterns = [
    path("accounts/", account_views.account_list, name="accounts"),
    path("accounts/new/", account_views.account_new, name="account_new"),
    path("accounts/<int:pk>/", account_views.account, name="credential"),
    path("accounts/<int:pk>/secret/", account_views.account_secret, name="account_secret"),
    path("accounts/<int:pk>/check/", account_views.account_check, name="account_check"),
    path("accounts/<int:pk>/import/", account_views.account_import, name="account_import"),
    path("accounts/<int:pk>/notices/", account_views.account_notices, name="account_notices"),
    path("accounts/<int:pk>/delete/", account_views.account_delete, name="account_delete"),
    path("accounts/sip/", sip_views.sip_lines, name="sip"),
    path("accounts/sip/new/", sip_views.sip_new, name="sip_new"),
    path("accounts/sip/<int:pk>/", sip_views.sip_line, name="sip_line"),
    path("accounts/sip/<int:pk>/delete/", sip_views.sip_delete, name="sip_delete"),
    path("numbers/", number_views.number_list, name="numbers"),
    path("numbers/import/", number_views.number_import, name="import"),
    path("numbers/search/", number_views.number_search, name="search"),
    path("numbers/buy/", number_views.number_buy, name="buy"),
    path("numbers/blocked/", number_views.blocked, name="blocked"),
    path("numbers/unblock/", number_views.unblock, name="unblock"),
    path("numbers/<str:digits>/", number_views.number, name="number"),
    path("numbers/<str:digits>/hooks/", number_views.number_hooks, name="hooks"),
    path("numbers/<str:digits>/remove/", number_views.number_remove, name="remove"),
]
