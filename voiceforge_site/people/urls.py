from django.urls import path

from . import profile, views

people = [
    path("", views.people, name="list"),
    path("invite/", views.invite, name="invite"),
    path("roles/", views.roles, name="roles"),
    path("invitations/<int:pk>/withdraw/", views.withdraw, name="withdraw"),
    path("<int:pk>/", views.person, name="person"),
    path("<int:pk>/role/", views.change_role, name="role"),
    path("<int:pk>/deactivate/", views.deactivate, name="deactivate"),
    path("<int:pk>/reactivate/", views.reactivate, name="reactivate"),
    path("<int:pk>/sign-out/", views.sign_out, name="sign_out"),
    path("<int:pk>/new-password/", views.new_password, name="new_password"),
    path("<int:pk>/codes-off/", views.codes_off, name="codes_off"),
]
own = [
    path("", profile.profile, name="profile"),
    path("password/", profile.password, name="password"),
    path("browsers/end/", profile.end_session, name="end_session"),
    path("codes/", profile.set_up_codes, name="codes"),
    path("codes/off/", profile.codes_off, name="codes_off"),
    path("codes/recovery/", profile.recovery_codes, name="recovery_codes"),
]
