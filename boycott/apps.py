from django.apps import AppConfig


class BoycottConfig(AppConfig):
    name = "boycott"

    def ready(self) -> None:
        from boycott import suspending
        from carerecords import leaving

        leaving.listen(suspending.when_somebody_leaves)
