"""Log-in and the user's own account. allauth's views, but only those in use: no sign-up, and no
changing of one's own email address, which is what the accounts are given by."""

from allauth.account import views
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from config import account_pages

urlpatterns = [
    path("log-in/", views.login, name="account_login"),
    path("log-out/", views.logout, name="account_logout"),
    path("account/", account_pages.account, name="account"),
    path("account/stay/", account_pages.stay, name="account_stay"),
    path("account/inactive/", views.account_inactive, name="account_inactive"),
    path("account/confirm/", views.reauthenticate, name="account_reauthenticate"),
    path("account/password/", views.password_change, name="account_change_password"),
    # Whoever logs in without a password (an identity service) has none to change.
    path("account/password/none/", RedirectView.as_view(pattern_name="account"), name="account_set_password"),
    path("account/password/reset/", views.password_reset, name="account_reset_password"),
    path("account/password/reset/sent/", views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^account/password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "account/password/reset/done/",
        views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("account/second-factor/", include("allauth.mfa.urls")),
]
