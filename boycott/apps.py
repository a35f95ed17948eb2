from django.apps import AppConfig


class BoycottConfig(AppConfig):
    name = "boycott"
